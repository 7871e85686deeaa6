import {
  Adaptable,
  Data,
  EventEmitter,
  Machine,
  Manager,
  ManagerMachine,
  Proxy,
  RegisteredFunction,
  ScalabilityManager,
  Worker,
} from '../../types/machines'

async function managers() {
  const manager = new Manager({
    minWorkers: 1,
    maxWorkers: 4,
    workerType: 'process',
    idleTimeout: 1000,
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    listen: new URL('http://127.0.0.1:0'),
    acceptWorkers: true,
    token: 'secret',
    allowedOrigins: ['http://localhost:8000'],
    verifyResults: 3,
    maxQueue: 'auto',
    structure: 'sharded',
    shardKey: (item: { id: string }) => item.id,
    leaseTime: 1000,
    retries: 3,
    waitForWorkers: 1000,
  })
  // @ts-expect-error There is no such type of workers.
  const fibers = new Manager({ workerType: 'fiber' })
  // @ts-expect-error There is no such option.
  const misspelt = new Manager({ maxworkers: 3 })
  const sum: number = await manager.run((a: number, b: number) => a + b, [1, 2])
  // @ts-expect-error An argument is missing.
  await manager.run((a: number, b: number) => a + b, [1])
  await manager.run(async (text: string) => text.length, ['x'], { timeout: 5, retries: 1 })
  // @ts-expect-error One call has no chunks.
  await manager.run((a: number) => a, [1], { chunkSize: 5 })
  const nothing: number = await manager.run(() => 1)
  const everywhere: number[] = await manager.broadcast(async () => 1)
  const named: unknown = await manager.run('double', [2])
  const double = manager.register((n: number) => n * 2, { name: 'double', globals: ['process'] })
  const typed: RegisteredFunction<[n: number], number> = double
  const four: number = await double(2)
  const hash: string = double.hash
  const mode: 'sync-loop' | 'async' = double.mode
  const all: number[] = await manager.broadcast((n: number) => n, [1])
  await manager.scale(4)
  await manager.scale({ min: 1, max: 2 })
  const [first] = manager.adaptables()
  await manager.assign(first.id, 'data', { listen: 'http://127.0.0.1:0' })
  manager.on('workerLost', ({ id, reason }) => id + reason).on('drain', () => {})
  manager.on('role', ({ role }) => role === 'data')
  // @ts-expect-error There is no such event.
  manager.on('workerGone', () => {})
  const url: string | undefined = manager.url
  const pauses: boolean = manager.needsDrain
  const { p99Ms, role } = manager.stats()
  await manager.drain()
  await manager.close({ force: true, timeout: 5 })
  return [
    nothing,
    everywhere,
    sum,
    named,
    typed,
    four,
    hash,
    mode,
    all,
    url,
    pauses,
    p99Ms,
    role,
    fibers,
    misspelt,
  ]
}

async function others() {
  const machines: Machine[] = [
    new Worker({ connect: 'http://127.0.0.1:1', functions: { one: () => 1 }, concurrency: 2 }),
    new Data({ listen: 'http://127.0.0.1:0/x', persist: './x', token: 'secret' }),
    new EventEmitter({ listen: 'http://127.0.0.1:0/x' }),
    new Proxy({
      listen: 'http://127.0.0.1:0',
      data: ['http://127.0.0.1:1'],
      route: ({ key }) => key,
    }),
    new Adaptable({ connect: 'http://127.0.0.1:1', roles: ['worker'] }),
    new ManagerMachine(),
    ScalabilityManager,
  ]
  // @ts-expect-error It has to know where.
  const nowhere = new Worker({})
  for (const machine of machines) await (await machine.start()).close()
  await using adaptable = new Adaptable({ connect: 'http://127.0.0.1:1' })
  await adaptable.assign('events', { listen: 'http://127.0.0.1:0' })
  return nowhere
}

export { managers, others }
