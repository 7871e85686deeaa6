import { IteratorClass, MapOptions, ParallelIterator, TaskContext } from '../../types/iterator'
import { Manager } from '../../types/machines'
import { SharedMemoryClass } from '../../types/shared-memory'

declare const manager: Manager
declare const memory: SharedMemoryClass<{ multiplier: number; name: string }>

async function iterators() {
  const Iterator = new IteratorClass(manager)
  const Default = new IteratorClass()
  const numbers: ParallelIterator<number> = new Iterator([1, 2, 3])
  const texts: string[] = await numbers.map((x) => String(x))
  const awaited: number[] = await numbers.map(async (x: number) => x * 2)
  const scoped = numbers.useScope(memory)
  const products: number[] = await scoped.map(
    async (x, scope) => x * ((await scope.get('multiplier')) ?? 1),
  )
  // @ts-expect-error There is no such key.
  await scoped.map((x, scope) => scope.get('divisor'))
  const chosen: number[] = await numbers.filter((x) => x > 1)
  const flat: number[] = await numbers.flatMap((x) => [x, x])
  await numbers.forEach((x, scope, ctx: TaskContext) => ctx.progress(ctx.index + x))
  const sum: number = await numbers.reduce((a, b) => a + b, { initial: 0 })
  // @ts-expect-error The initial value is an item.
  await numbers.reduce((a, b) => a + b, { initial: '' })
  for await (const text of numbers.stream((x) => `${x}`, { ordered: false })) text.slice()
  for await (const item of numbers) item.toFixed()
  const fromText: unknown[] = await numbers.map('(x: number) => x * 2')
  new Iterator(new Set(['a'])).map((text) => text.length)
  const later = new Iterator((async function* () {})())
  // @ts-expect-error Not iterable.
  const none = new Iterator(5)
  return [Default, later, none, texts, awaited, products, chosen, flat, sum, fromText]
}

const options: MapOptions = {
  chunkSize: 'auto',
  retries: 2,
  signal: AbortSignal.timeout(5),
  onProgress: ({ done, total, value }) => [done, total, value],
  partitionBy: (item: { key: string }) => item.key,
  transfer: (item: { buffer: ArrayBuffer }) => [item.buffer],
}
// @ts-expect-error No such option.
const unknown: MapOptions = { chunksize: 5 }

export { iterators, options, unknown }
