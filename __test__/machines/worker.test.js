'use strict'

// Workers that connect to a manager.

const assert = require('node:assert/strict')
const { fork } = require('node:child_process')
const { EventEmitter, once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { Client } = require('../../lib/link/client')
const { KINDS, Writer } = require('../../lib/link/frames')
const { parse } = require('../../lib/link/url')
const { Manager, Worker } = require('../../lib/machines')
const { IteratorClass } = require('../../lib/compute/iterator')
const { SharedMemoryClass } = require('../../lib/memory')
const { until, withManager, within } = require('./support')

const LISTEN = { listen: 'http://127.0.0.1:0', maxWorkers: 0 }
const TOKEN = 'a secret of both'

/** A manager that makes no workers, and workers that connect to it. */
async function withWorkers(options, workers, body) {
  await withManager({ ...LISTEN, ...options }, async (manager, told) => {
    await manager.start()
    const machines = workers.map((each) => new Worker({ connect: manager.url, ...each }))
    try {
      await Promise.all(machines.map((machine) => machine.start()))
      await body(manager, machines, told)
    } finally {
      await Promise.all(machines.map((machine) => machine.close({ force: true })))
    }
  })
}

test('a worker runs its own functions by name', async () => {
  const factor = 3
  const functions = {
    times: (n) => n * factor,
    wait: async (n) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      return { waited: n }
    },
    fail() {
      throw Object.assign(new TypeError('not today'), { code: 'E_NOT' })
    },
    self: (...args) => args,
  }
  await withWorkers({}, [{ functions }], async (manager, [worker]) => {
    assert.equal(await manager.run('times', [14]), 42)
    assert.deepEqual(await manager.run('wait', ['x']), { waited: 'x' })
    const args = [1, 'ü €', null, undefined, new Date(5), new Map([['a', new Uint8Array(3)]]), [[]]]
    assert.deepEqual(await manager.run('self', args), args)
    await assert.rejects(manager.run('fail'), ({ cause, code }) => {
      assert.equal(code, 'ERR_NC_TASK_FAILED')
      assert.ok(cause instanceof TypeError)
      assert.equal(cause.code, 'E_NOT')
      return true
    })
    const { completed, failed, role, workers } = worker.stats()
    assert.deepEqual(
      { completed, failed, role, workers },
      { completed: 3, failed: 1, role: 'worker', workers: 1 },
    )
  })
})

test('without a token nobody is sent functions', async () => {
  await withWorkers({ waitForWorkers: 100 }, [{ functions: { one: () => 1 } }], async (manager) => {
    assert.equal(await manager.run('one'), 1)
    await assert.rejects(
      manager.run(() => 1),
      { code: 'ERR_NC_NO_WORKERS' },
    )
    await assert.rejects(manager.run('two'), { code: 'ERR_NC_NO_WORKERS' })
    const Iterator = new IteratorClass(manager)
    const loop = (n) => {
      for (let i = 0; i < n; i++);
      return n
    }
    await assert.rejects(new Iterator([1, 2]).map(loop), { code: 'ERR_NC_NO_WORKERS' })
  })
})

test('without a token a worker that asks for a function is refused, and so is one that is named', async () => {
  await withManager({ ...LISTEN, maxWorkers: 1 }, async (manager) => {
    await manager.start()
    const secret = manager.register(() => 'the text of it')
    assert.equal(await secret(), 'the text of it')
    const worker = { id: 'curious', concurrency: 1, code: true, encodings: ['json'], functions: [] }
    const client = new Client(parse(manager.url), {
      role: 'worker',
      worker: { ...worker, kind: 'process' },
    })
    await until(client, 'up')
    const asked = client.request(KINDS.FUNCTION, new Writer().str(secret.hash).finish())
    await assert.rejects(asked, { code: 'ERR_NC_CODE_REFUSED' })
    client.close()
  })
})

test('a worker that takes registered functions only refuses others whatever it is sent', async () => {
  const LinkPort = require('../../lib/compute/link-port')
  const { EventEmitter } = require('node:events')
  const client = Object.assign(new EventEmitter(), { onPush() {} })
  const port = new LinkPort(client, false, () => {})
  assert.equal(await port.function('f'.repeat(64)), null)
  port.close()
})

test('with a token functions are sent, and items and results of all kinds', async () => {
  await withWorkers({ token: TOKEN }, [{ token: TOKEN }, { token: TOKEN }], async (manager) => {
    assert.equal(await manager.run((a, b) => a + b, [1, 2]), 3)
    const Iterator = new IteratorClass(manager)
    const loop = (n) => {
      let sum = 0
      for (let i = 0; i <= n; i++) sum += i
      return sum
    }
    const numbers = Array.from({ length: 5000 }, (_, n) => n)
    assert.deepEqual(await new Iterator(numbers).map(loop), numbers.map(loop))
    const even = (n) => {
      for (;;) return n % 2 === 0
    }
    assert.deepEqual(await new Iterator(numbers).filter(even), numbers.filter(even))
    const objects = numbers.slice(0, 300).map((n) => ({ n, text: `wide ${n} €`, at: new Date(n) }))
    const same = (item) => {
      for (;;) return item
    }
    assert.deepEqual(await new Iterator(objects).map(same), objects)
    const pair = (n) => {
      for (;;) return [n, -n]
    }
    assert.deepEqual(await new Iterator([1, 2]).flatMap(pair), [1, -1, 2, -2])
    await new Iterator([1, 2]).forEach((n) => {
      for (;;) return n
    })
    const add = (a, b) => {
      for (;;) return a + b
    }
    assert.equal(await new Iterator(numbers).reduce(add), 12497500)
  })
})

test('functions read and write the memory of their job', async () => {
  await withWorkers({ token: TOKEN }, [{ token: TOKEN }], async (manager) => {
    const memory = new SharedMemoryClass()
    await memory.set({ factor: 3, visits: 0 })
    const Iterator = new IteratorClass(manager)
    const fn = async (n, scope) => {
      await scope.increment('visits')
      return n * (await scope.get('factor'))
    }
    assert.deepEqual(await new Iterator([1, 2, 3]).useScope(memory).map(fn), [3, 6, 9])
    assert.equal(await memory.get('visits'), 3)
    const read = async (n, scope) => {
      for (let i = 0; i < 3; i++);
      return n * (await scope.get('factor'))
    }
    assert.deepEqual(await new Iterator([1, 2, 3]).useScope(memory).map(read), [3, 6, 9])
    await memory.close()
  })
})

test('progress and cancellation reach over the connection', async () => {
  await withWorkers({ token: TOKEN }, [{ token: TOKEN }], async (manager) => {
    const Iterator = new IteratorClass(manager)
    const abort = new AbortController()
    const values = []
    const fn = async (n, _scope, ctx) => {
      ctx.progress({ at: n })
      await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
      globalThis.wasAborted = true
    }
    const running = new Iterator([7]).map(fn, {
      signal: abort.signal,
      onProgress: ({ value }) => {
        if (value === undefined) return
        values.push(value)
        abort.abort()
      },
    })
    await assert.rejects(running, { name: 'AbortError' })
    assert.deepEqual(values, [{ at: 7 }])
    assert.equal(await manager.run(() => 1), 1)
    assert.equal(globalThis.wasAborted, true)
    delete globalThis.wasAborted
  })
})

test('a wrong token, or none, is refused', async () => {
  await withManager({ ...LISTEN, token: TOKEN }, async (manager) => {
    await manager.start()
    for (const token of ['another', undefined, `${TOKEN} `]) {
      const worker = new Worker({ connect: manager.url, token })
      const warned = []
      worker.on('error', (error) => warned.push(error))
      await assert.rejects(worker.start(), { code: 'ERR_NC_CONNECT' })
      await worker.close()
    }
    assert.equal(manager.stats().workers, 0)
  })
})

test('where nobody is, or no workers are accepted, start() rejects', async () => {
  await withManager({ ...LISTEN, maxWorkers: 1, acceptWorkers: false }, async (manager) => {
    await manager.start()
    const worker = new Worker({ connect: manager.url, connectTimeout: 300 })
    await assert.rejects(worker.start(), { code: 'ERR_NC_CONNECT' })
    await worker.close()
  })
  const manager = await new Manager(LISTEN).start()
  const { url } = manager
  await manager.close()
  const worker = new Worker({ connect: url, connectTimeout: 200 })
  await assert.rejects(worker.start(), { code: 'ERR_NC_CONNECT' })
  await assert.rejects(worker.start(), { code: 'ERR_NC_CONNECT' })
  await worker.close()
})

test('an address in use is told by start(), and fails the work', async () => {
  const net = require('node:net')
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const manager = new Manager({ listen: `http://127.0.0.1:${server.address().port}` })
  await assert.rejects(
    manager.run(() => 1),
    { code: 'ERR_NC_CONNECT' },
  )
  await assert.rejects(manager.start(), { code: 'ERR_NC_CONNECT' })
  await manager.close()
  server.close()
})

test('work waits for a worker that comes later', async () => {
  await withManager({ ...LISTEN, token: TOKEN }, async (manager) => {
    const running = manager.run((a) => a + 1, [1])
    await manager.start()
    const worker = new Worker({ connect: manager.url, token: TOKEN })
    await worker.start()
    assert.equal(await running, 2)
    const leaving = until(manager, 'workerLost')
    await worker.close()
    assert.equal((await leaving).id, worker.id)
  })
})

test('drain() of a worker finishes what it has', async () => {
  let begun = 0
  const all = new EventEmitter()
  const functions = {
    wait: async (n) => {
      if (++begun === 4) all.emit('begun')
      await new Promise((resolve) => setTimeout(resolve, 50))
      return n
    },
  }
  await withWorkers({}, [{ functions, concurrency: 4 }], async (manager, [worker]) => {
    const running = [1, 2, 3, 4].map((n) => manager.run('wait', [n]))
    await once(all, 'begun')
    await worker.drain()
    const settled = await within(Promise.all(running), 'results')
    assert.deepEqual(settled, [1, 2, 3, 4])
    assert.equal(manager.stats().retried, 0)
    const waits = manager.run('wait', [5])
    const other = new Worker({ connect: manager.url, functions })
    await other.start()
    assert.equal(await waits, 5)
    await other.close()
  })
})

test('a manager that comes back has its worker back', async () => {
  const first = await new Manager(LISTEN).start()
  const { url } = first
  const worker = new Worker({ connect: url, functions: { one: () => 1 } })
  await worker.start()
  assert.equal(await first.run('one'), 1)
  await first.close()
  const second = new Manager({ ...LISTEN, listen: url })
  await second.start()
  assert.equal(await within(second.run('one'), 'answer'), 1)
  await worker.close()
  await second.close()
})

test('a process that is killed loses nothing', async () => {
  await withManager({ ...LISTEN, token: TOKEN, retries: 100 }, async (manager) => {
    await manager.start()
    const program = path.join(__dirname, 'support', 'worker-process.js')
    const children = new Set()
    const spawn = () => {
      const child = fork(program, [manager.url, TOKEN])
      children.add(child)
      child.once('exit', () => children.delete(child))
    }
    spawn()
    spawn()
    const Iterator = new IteratorClass(manager)
    const items = Array.from({ length: 300 }, (_, n) => n)
    const slowly = (n) => {
      const end = performance.now() + 3
      while (performance.now() < end);
      return n + 1
    }
    const over = new AbortController()
    const results = new Iterator(items).map(slowly).finally(() => over.abort())
    while (!over.signal.aborted) {
      await Promise.race([once(manager, 'workerOnline'), results])
      await new Promise((resolve) => setTimeout(resolve, 60))
      const [victim] = children
      victim?.kill('SIGKILL')
      if (!over.signal.aborted) spawn()
    }
    assert.deepEqual(
      await results,
      items.map((n) => n + 1),
    )
    const ended = [...children].map((child) => once(child, 'exit'))
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(ended)
  })
})

test('a worker that says nonsense is a lost worker', async () => {
  await withManager({ ...LISTEN, maxWorkers: 1 }, async (manager) => {
    await manager.start()
    const nonsense = [
      [KINDS.DONE, new Uint8Array([1])],
      [
        KINDS.DONE,
        new Writer()
          .u32(1)
          .u32(2 ** 32 - 1)
          .u32(2 ** 32 - 1)
          .u8(1)
          .u8(99)
          .finish(),
      ],
      [KINDS.FAILED, new Writer().u32(1).u32(1).str('{ "code": 3').finish()],
      [KINDS.PROGRESS, new Uint8Array(0)],
      [KINDS.CONTROL, new Writer().str('{ "type": "leaving" ').finish()],
      [KINDS.CONTROL, new Writer().str('[1, 2]').finish()],
      [
        KINDS.CONTROL,
        new Writer().str('{ "type": "assigned", "order": 1, "role": "__proto__" }').finish(),
      ],
      [0x7f, new Uint8Array(4)],
    ]
    for (const [kind, body] of nonsense) {
      const worker = {
        id: `odd ${kind}`,
        concurrency: 1,
        code: false,
        encodings: [],
        functions: [],
      }
      const client = new Client(parse(manager.url), { role: 'worker', worker })
      await until(client, 'up')
      client.send(kind, 0, body)
      assert.equal(await manager.run((a) => a + 1, [1]), 2)
      client.close()
    }
    assert.deepEqual(manager.adaptables(), [])
  })
})
