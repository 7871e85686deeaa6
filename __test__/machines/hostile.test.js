'use strict'

// Functions that mean no good, or are not as their author thinks.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { until, withManager, within } = require('./support')

const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 }

for (const workerType of ['thread', 'process']) {
  const options = { workerType, maxWorkers: 1, resourceLimits: LIMITS }
  const hostile = (name, body) =>
    test(`${name} (${workerType})`, { timeout: 60_000 }, () =>
      withManager(options, async (manager, told) => {
        await body(manager, told)
        // Whatever it was, the next one is served.
        assert.equal(
          await within(
            manager.run((a) => a + 1, [1]),
            'answer',
          ),
          2,
        )
      }),
    )

  hostile('a loop without end is ended by its timeout', async (manager) => {
    const gone = until(manager, 'workerLost')
    const spin = () => {
      for (;;);
    }
    const call = manager.run(spin, [], { timeout: 200 })
    await assert.rejects(call, { name: 'TaskError', code: 'ERR_NC_TASK_TIMEOUT', itemIndex: 0 })
    assert.equal((await gone).reason, 'timeout')
  })

  hostile('a loop without end is ended some time after it was aborted', async (manager) => {
    const spin = () => {
      for (;;);
    }
    await assert.rejects(manager.run(spin, [], { signal: AbortSignal.timeout(200) }), {
      name: 'AbortError',
    })
  })

  hostile(
    'more memory than there is ends the worker and nothing else',
    async (manager, { lost }) => {
      const grow = () => {
        const all = []
        for (;;) all.push(Array.from({ length: 1000 }, Math.random))
      }
      const call = manager.run(grow, [], { retries: 0 })
      await assert.rejects(call, { code: 'ERR_NC_WORKER_OUT_OF_MEMORY', itemIndex: 0 })
      assert.equal(lost[0].reason, 'ERR_NC_WORKER_OUT_OF_MEMORY')
    },
  )

  hostile('4 GB at once are refused or end the worker', async (manager) => {
    const grow = () => {
      const all = []
      for (let n = 0; n < 64; n++) all.push('x'.repeat(2 ** 26).split(''))
      return all.length
    }
    await assert.rejects(manager.run(grow, [], { retries: 0 }), (error) => {
      assert.ok(
        ['ERR_NC_WORKER_OUT_OF_MEMORY', 'ERR_NC_TASK_FAILED'].includes(error.code),
        error.code,
      )
      return true
    })
  })

  hostile(
    'process.exit() ends the worker; it is tried as often as said',
    async (manager, { lost }) => {
      await assert.rejects(
        manager.run(() => process.exit(3)),
        {
          code: 'ERR_NC_WORKER_LOST',
          attempts: 3,
          message: /exit code 3/,
        },
      )
      assert.equal(lost.length, 3)
      await assert.rejects(
        manager.run(() => process.exit(0), [], { retries: 0 }),
        {
          code: 'ERR_NC_WORKER_LOST',
          attempts: 1,
        },
      )
    },
  )

  hostile(
    'an error that nobody catches ends the worker that it was in',
    async (manager, { lost }) => {
      const later = async () => {
        setImmediate(() => {
          throw new Error('too late')
        })
        await new Promise((resolve) => setTimeout(resolve, 5000))
      }
      await assert.rejects(manager.run(later, [], { retries: 0 }), { code: 'ERR_NC_WORKER_LOST' })
      assert.match(lost[0].reason, workerType === 'thread' ? /too late/ : /exit code 1/)
    },
  )

  hostile('a changed prototype stays in its worker', async (manager) => {
    const pollute = `() => {
      Object.prototype.polluted = 'yes'
      JSON.parse('{ "__proto__": { "polluted": "too" } }')
      return JSON.parse('{ "__proto__": { "polluted": "as own" }, "a": 1 }')
    }`
    const result = await manager.run(pollute)
    assert.equal({}.polluted, undefined)
    assert.equal(Object.getPrototypeOf(result), Object.prototype)
    assert.equal(result.polluted, undefined)
    assert.deepEqual(Object.keys(result), ['__proto__', 'a'])
    await assert.rejects(manager.run(() => process.exit(1), [], { retries: 0 }))
    assert.equal(await manager.run(() => ({}).polluted), undefined)
  })

  hostile('a result that cannot be sent is an error that says where', async (manager) => {
    const fn = () => ({ list: [1, { fn: () => 1 }] })
    await assert.rejects(manager.run(fn), {
      name: 'TaskError',
      code: 'ERR_NC_UNSERIALIZABLE_RESULT',
      message: /list\[1\]\.fn/,
    })
    const bad = [() => Symbol('x'), () => new WeakMap(), () => [Promise.resolve()]]
    for (const each of bad) {
      await assert.rejects(manager.run(each), { code: 'ERR_NC_UNSERIALIZABLE_RESULT' })
    }
  })

  hostile('a result that throws when it is read is an error too', async (manager) => {
    const fn = () => ({
      get trap() {
        throw new Error('gotcha')
      },
    })
    await assert.rejects(manager.run(fn), { code: 'ERR_NC_UNSERIALIZABLE_RESULT' })
  })

  hostile('a large result arrives', async (manager) => {
    const bytes = await manager.run((size) => new Uint8Array(size).fill(7), [24 * 1024 * 1024])
    assert.equal(bytes.length, 24 * 1024 * 1024)
    assert.equal(bytes.at(-1), 7)
  })

  hostile('whatever is thrown arrives', async (manager) => {
    const thrown = [0, 'text', { code: 4 }, [1, 2]]
    for (const value of thrown) {
      const call = manager.run(
        (value) => {
          throw value
        },
        [value],
      )
      await assert.rejects(call, (error) => {
        assert.equal(error.code, 'ERR_NC_TASK_FAILED')
        assert.deepEqual(error.cause, value)
        return true
      })
    }
    const odd = [
      () => {
        throw Symbol('odd')
      },
      () => {
        throw () => 1
      },
      () => {
        throw Object.assign(new RangeError('out'), {
          code: 'E_OUT',
          detail: { at: 3 },
          fn: () => 1,
        })
      },
      () => Promise.reject(new Error('later')),
      () => {
        throw new Proxy(new Error('trap'), {
          get() {
            throw new Error('trapped')
          },
        })
      },
    ]
    const errors = []
    for (const fn of odd) await manager.run(fn).catch((error) => errors.push(error))
    assert.deepEqual(
      errors.map(({ name }) => name),
      odd.map(() => 'TaskError'),
    )
    assert.ok(errors[2].cause instanceof RangeError)
    assert.equal(errors[2].cause.code, 'E_OUT')
    assert.deepEqual(errors[2].cause.detail, { at: 3 })
    assert.equal(errors[3].cause.message, 'later')
  })

  hostile(
    'a thenable that never answers, or answers twice, is a promise like others',
    async (manager) => {
      const never = '() => ({ then() {} })'
      await assert.rejects(manager.run(never, [], { timeout: 100 }), {
        code: 'ERR_NC_TASK_TIMEOUT',
      })
      const twice = `() => ({
        then(resolve, reject) {
          resolve(1)
          resolve(2)
          reject(new Error('3'))
        },
      })`
      assert.equal(await manager.run(twice), 1)
    },
  )
}

test('what one function breaks in its worker does not reach the manager', async () => {
  await withManager({ maxWorkers: 1 }, async (manager) => {
    const sabotage = `() => {
      Map.prototype.get = () => undefined
      Array.prototype.push = () => 0
      JSON.parse = () => ({})
      Promise.prototype.then = undefined
      return 1
    }`
    await manager.run(sabotage, [], { timeout: 2000, retries: 0 }).catch(() => {})
    // The worker may be of no use any more; another one is.
    await manager.scale(0)
    await manager.scale(1)
    assert.equal(await manager.run((a) => a + 1, [1]), 2)
    assert.equal(new Map([[1, 2]]).get(1), 2)
  })
})
