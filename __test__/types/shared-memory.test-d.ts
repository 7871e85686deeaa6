import { SharedMemoryClass } from '../../types/shared-memory'
import type {
  Change,
  Entry,
  MemoryLock,
  MemoryStats,
  Scope,
  SetOptions,
  SharedMemoryOptions,
  Version,
} from '../../types/shared-memory'

interface Shop {
  price: number
  names: string[]
  open?: boolean
}

function made() {
  const options: SharedMemoryOptions = {
    serializer: 'json',
    nearCache: { maxEntries: 5 },
    host: 'never',
    connectTimeout: 1,
    token: 't',
    maxBytes: 1,
    maxValueBytes: 1,
  }
  void [new SharedMemoryClass(), new SharedMemoryClass<Shop>('http://localhost:1', options)]
  void [new SharedMemoryClass(new URL('ws://[::1]:1/x'), { nearCache: false })]
  // @ts-expect-error
  void new SharedMemoryClass(1)
  // @ts-expect-error
  void new SharedMemoryClass(undefined, { serializer: 'xml' })
  // @ts-expect-error
  void new SharedMemoryClass(undefined, { nearcache: true })
}

async function values(memory: SharedMemoryClass<Shop>) {
  const ready: void = await memory.ready
  const price: number | undefined = await memory.get('price')
  const names: string[] | undefined = memory.getSync('names')
  const entry: Entry<number> | undefined = await memory.getEntry('price')
  const { price: one, names: other } = await memory.getMany(['price', 'names'])
  const has: boolean = await memory.has('open')
  const options: SetOptions = { ttl: 1, ifAbsent: true, signal: AbortSignal.timeout(1) }
  const version: Version = await memory.set('price', 1, options)
  const nothing: void = await memory.set({ price: 1, names: ['a'] }, { ttl: 1 })
  const sync: void = memory.setSync('open', true, { ifVersion: version })
  const deleted: boolean = await memory.delete('price')
  const sum: number = await memory.increment('price', 2)
  const swapped: boolean = await memory.compareAndSet('price', entry?.version, sum)
  const updated: number = await memory.update('price', (old = 0) => old + 1, {})
  void [ready, price?.toFixed(), names?.length, one?.toFixed(), other?.length, has, nothing, sync]
  void [deleted, swapped, updated, entry?.timestamp, entry?.expiresAt]
  // @ts-expect-error
  await memory.get('nothing')
  // @ts-expect-error
  await memory.set('price', 'much')
  // @ts-expect-error
  await memory.set({ price: 'much' })
  // @ts-expect-error
  await memory.set('price', 1, { tll: 1 })
  // @ts-expect-error
  await memory.update('names', () => 1)
  // @ts-expect-error
  await memory.compareAndSet('price', 5, 1)
}

async function together(memory: SharedMemoryClass<Shop>) {
  const length: number = await memory.transaction(
    async (scope) => {
      await scope.set('price', (await scope.increment('price')) + 1)
      return (await scope.get('names'))?.length ?? 0
    },
    { retries: 1 },
  )
  const scope: Scope<Shop> = memory
  const result: [number, string] = await memory.runOnKey(
    'price',
    async (entry, by: number, name: string): Promise<[number, string]> => {
      entry.value = (entry.value ?? 0) + by
      return [entry.value, name]
    },
    1,
    'a',
  )
  const text: unknown = await memory.runOnKey('price', '(entry) => entry.value')
  const lock: MemoryLock = await memory.lock('any', { leaseTime: 1 })
  const held: boolean = (await lock.renew(1)) && (await lock.release())
  await using disposed = await memory.lock('any')
  void [length, scope, result, text, held, lock.token.length, disposed.key]
  // @ts-expect-error
  await memory.runOnKey('price', (entry) => (entry.value = 'much'))
  // @ts-expect-error
  await memory.runOnKey('price', (entry, by: number) => by, 'x')
  // @ts-expect-error
  await memory.lock('any', { lease: 1 })
}

async function listed(memory: SharedMemoryClass<Shop>) {
  const signal = AbortSignal.timeout(1)
  for await (const change of memory.watch('price', { signal, since: '0' })) {
    const typed: Change<number> = change
    if (typed.type === 'set') void typed.value?.toFixed()
  }
  for await (const { key, value, version } of memory.watch({ prefix: 'p' }))
    void [key, value, version]
  for await (const key of memory.keys({ prefix: 'p' })) void key.length
  for await (const { key, value } of memory.entries()) void [key, value]
  for await (const { version } of memory) void version.length
  const stats: MemoryStats = await memory.stats()
  const closed: void = await memory.close()
  void [stats.entries + stats.bytes + stats.watchers + stats.locks, closed]
  // @ts-expect-error
  memory.watch({ suffix: 'p' })
  // @ts-expect-error
  memory.keys('p')
}

async function untyped(memory: SharedMemoryClass) {
  await memory.set('anything', { at: 'all' })
  const value: string = (await memory.get('anything')).at
  await memory[Symbol.asyncDispose]()
  void value
}

void [made, values, together, listed, untyped]
