import assert from 'node:assert'
import {
  Adaptable,
  CapturedVariablesError,
  Data,
  DataMachine,
  EventEmitter,
  IteratorClass,
  Manager,
  ManagerMachine,
  NetworkClusterError,
  Proxy,
  ScalabilityManager,
  ScalabilityManagerClass,
  SharedEventEmitterClass,
  SharedMemoryClass,
  TaskError,
  Worker,
} from 'es-networkcluster'
import type {
  Change,
  CollectedErrors,
  ErrorCode,
  ManagerOptions,
  MapOptions,
  Scope,
  SharedEventEmitterOptions,
  SharedMemoryOptions,
  TaskContext,
  Version,
} from 'es-networkcluster'

// The example that all of it began with.
async function promise() {
  const SharedMemory = new SharedMemoryClass('http://localhost:12345')
  const Iterator = new IteratorClass(ScalabilityManager)
  const SharedEventEmitter = new SharedEventEmitterClass()

  const numbers = new Iterator([1, 2, 3, 4, 5])
  numbers.useScope(SharedMemory)

  await SharedMemory.set({ multiplier: 10 })
  const newArray = await numbers.map(async function (number, scope) {
    const multiplier = await scope.get('multiplier')
    return number * multiplier
  })
  for (let i = 0; i < 5; i++) {
    assert(newArray[i] === (i + 1) * 10)
  }
  SharedEventEmitter.emit('success!')

  const p = SharedMemory.set({ multiplier: 10 })
    .then(function () {
      return numbers.map(function (number, scope) {
        return scope.get('multiplier').then(function (multiplier) {
          return number * multiplier
        })
      })
    })
    .then(function (newArray) {
      for (let i = 0; i < 5; i++) {
        assert(newArray[i] === (i + 1) * 10)
      }
      return newArray
    })
    .then(function () {
      SharedEventEmitter.emit('success!')
    })
  const done: void = await p
  void done
}

interface Prices {
  tea: number
  names: string[]
}

async function typed(memory: SharedMemoryClass<Prices>, signal: AbortSignal) {
  const Iterator = new IteratorClass()
  const items = new Iterator(['a', 'b']).useScope(memory)
  const lengths: number[] = await items.map((item) => item.length)
  const sums: number[] = await items.map(async (item, scope, ctx) => {
    const index: number = ctx.index
    const tea: number | undefined = await scope.get('tea')
    // @ts-expect-error
    await scope.get('coffee')
    return item.length + index + (tea ?? 0)
  })
  const some: string[] = await items.filter((item) => item === 'a')
  const flat: string[] = await items.flatMap((item) => [item, item])
  const nothing: void = await items.forEach((item) => item)
  const all: string = await items.reduce((a, b) => a + b, { initial: '' })
  for await (const result of items.stream((item) => Promise.resolve(item.length))) {
    const length: number = result
    void length
  }
  const options: MapOptions = { signal, retries: 1, timeout: 5, onError: 'collect' }
  // @ts-expect-error
  await items.map((item) => item, { onerror: 'collect' })
  // @ts-expect-error
  void new Iterator(5)
  async function* source() {
    yield 1
  }
  const doubled: number[] = await new Iterator(source()).map((n) => 2 * n, options)
  void [lengths, sums, some, flat, nothing, all, doubled]
}

async function machines() {
  const options: ManagerOptions = { maxWorkers: 2, structure: 'sharded', workerType: 'process' }
  const manager: ScalabilityManagerClass = new Manager(options)
  const sum: number = await manager.run((a: number, b: number) => a + b, [1, 2])
  // @ts-expect-error
  await manager.run((a: number) => a, ['1'])
  const double = manager.register((n: number) => 2 * n, { name: 'double' })
  const four: number = await double(2)
  const worker = await new Worker({ connect: manager.url ?? '', functions: { f: () => 1 } }).start()
  const data: DataMachine = new Data({ persist: './data' })
  const held: SharedMemoryClass | undefined = new Data().memory
  const heard = new EventEmitter().emitter?.emit('a')
  const adaptable = new Adaptable({ connect: 'ws://127.0.0.1:1', connectTimeout: 5 })
  const machine = adaptable.machine
  const proxy = new Proxy({ listen: 'http://localhost:0', managers: [new URL('ws://[::1]:1')] })
  // @ts-expect-error
  void new Worker({})
  await manager.close({ force: true })
  const same: typeof Manager = ManagerMachine
  const figures: number = manager.stats().p99Ms
  void [held, heard, machine, sum, four, worker, data, proxy, same, figures]
}

async function events() {
  const emitter = new SharedEventEmitterClass<{ done: [id: string, count: number] }>()
  emitter.on('done', (id, count) => void [id.length, count.toFixed()])
  const accepted: boolean = emitter.emit('done', 'a', 1)
  const heard: number = await emitter.emitAsync('done', 'a', 1)
  // @ts-expect-error
  emitter.emit('done', 1)
  const options: SharedEventEmitterOptions = { overflow: 'drop-newest' }
  void [accepted, heard, options]
}

function errors(error: unknown) {
  if (error instanceof CapturedVariablesError) error.captured.map(({ name, line }) => name + line)
  if (error instanceof TaskError) return error.itemIndex + error.attempts
  if (error instanceof NetworkClusterError) {
    const code: ErrorCode = error.code
    // @ts-expect-error
    return code === 'ERR_NC_UNHEARD_OF'
  }
  return (error as CollectedErrors).errors.length
}

const context = (ctx: TaskContext, scope: Scope<Prices>) => ctx.progress(scope.has('tea'))
const versions = (change: Change<number>): Version => change.version
const memory: SharedMemoryOptions = { durable: { directory: './data' } }

void [promise, typed, machines, events, errors, context, versions, memory]
