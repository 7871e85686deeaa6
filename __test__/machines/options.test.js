'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const machines = require('../../lib/machines')

const CONNECT = 'http://127.0.0.1:1'

/** Each: a machine, its options, the code (ERR_NC_INVALID_ARG unless told) and what the message names. */
const BAD = [
  ['Manager', null, 'options'],
  ['Manager', 4, 'options'],
  ['Manager', [], 'options'],
  ['Manager', { maxWorkers: 0 }, 'maxWorkers'],
  ['Manager', { maxWorkers: NaN }, 'maxWorkers'],
  ['Manager', { maxWorkers: 1.5 }, 'maxWorkers'],
  ['Manager', { maxWorkers: Infinity }, 'maxWorkers'],
  ['Manager', { maxWorkers: '4' }, 'maxWorkers'],
  ['Manager', { maxWorkers: 4097 }, 'maxWorkers'],
  ['Manager', { minWorkers: -1 }, 'minWorkers'],
  ['Manager', { minWorkers: 3, maxWorkers: 2 }, 'minWorkers'],
  ['Manager', { workerType: 'fiber' }, 'workerType'],
  ['Manager', { idleTimeout: 0 }, 'idleTimeout'],
  ['Manager', { idleTimeout: 2 ** 31 }, 'idleTimeout'],
  ['Manager', { leaseTime: 1 }, 'leaseTime'],
  ['Manager', { retries: -1 }, 'retries'],
  ['Manager', { maxQueue: 0 }, 'maxQueue'],
  ['Manager', { maxQueue: 'all' }, 'maxQueue'],
  ['Manager', { structure: 'star' }, 'structure'],
  ['Manager', { shardKey: 'id' }, 'shardKey'],
  ['Manager', { resourceLimits: { heap: 4 } }, 'resourceLimits'],
  ['Manager', { resourceLimits: { stackSizeMb: 0 } }, 'resourceLimits'],
  ['Manager', { verifyResults: 0 }, 'verifyResults'],
  ['Manager', { acceptWorkers: true }, 'listen'],
  ['Manager', { acceptWorkers: 1 }, 'acceptWorkers'],
  ['Manager', { listen: '' }, 'listen'],
  ['Manager', { listen: 'http://example.com:8000' }, 'loopback', 'ERR_NC_INVALID_URL'],
  ['Manager', { token: '' }, 'token'],
  ['Manager', { allowedOrigins: ['http://a'], listen: CONNECT }, 'token'],
  ['Manager', { allowedOrigins: ['http://a/'], token: 't', listen: CONNECT }, 'allowedOrigins'],
  ['Manager', { allowedOrigins: ['HTTP://a'], token: 't', listen: CONNECT }, 'allowedOrigins'],
  ['Manager', { maxworkers: 3 }, 'maxworkers'],
  ['Manager', JSON.parse('{ "__proto__": 3 }'), '__proto__'],
  ['Manager', { constructor: 3 }, 'constructor'],
  ['Worker', undefined, 'connect'],
  ['Worker', {}, 'connect'],
  ['Worker', { connect: 3 }, 'connect'],
  ['Worker', { connect: 'http://example.com:1' }, 'loopback', 'ERR_NC_INVALID_URL'],
  ['Worker', { connect: 'https://localhost:1' }, 'protocol', 'ERR_NC_INVALID_URL'],
  ['Worker', { connect: CONNECT, concurrency: 0 }, 'concurrency'],
  ['Worker', { connect: CONNECT, functions: { double: 2 } }, 'functions'],
  ['Worker', { connect: CONNECT, functions: { 'a b': () => 1 } }, 'functions'],
  ['Worker', { connect: CONNECT, acceptCode: 'all' }, 'acceptCode'],
  ['Worker', { connect: CONNECT, acceptCode: 'source' }, 'token'],
  ['Data', { listen: 'ftp://localhost:3' }, 'protocol', 'ERR_NC_INVALID_URL'],
  ['Data', { persist: '' }, 'persist'],
  ['Data', { shards: 3 }, 'shards'],
  ['EventEmitter', { token: 3 }, 'token'],
  ['Proxy', {}, 'listen'],
  ['Proxy', { listen: CONNECT }, 'managers'],
  ['Proxy', { listen: CONNECT, managers: CONNECT }, 'managers'],
  ['Proxy', { listen: CONNECT, managers: [CONNECT], strategy: 'random' }, 'strategy'],
  ['Proxy', { listen: CONNECT, managers: ['http://10.0.0.1:2'] }, 'loopback', 'ERR_NC_INVALID_URL'],
  ['Proxy', { listen: CONNECT, managers: [CONNECT], route: 'x' }, 'route'],
  ['Proxy', { listen: CONNECT, managers: [CONNECT], maxConnections: 0 }, 'maxConnections'],
  ['Adaptable', {}, 'connect'],
  ['Adaptable', { connect: CONNECT, roles: ['manager'] }, 'roles'],
  ['Adaptable', { connect: CONNECT, roles: 'worker' }, 'roles'],
]

for (const [name, options, named, code = 'ERR_NC_INVALID_ARG'] of BAD) {
  test(`${name} refuses ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => new machines[name](options),
      (error) => {
        assert.equal(error.name, 'NetworkClusterError')
        assert.equal(error.code, code)
        assert.match(error.message, new RegExp(named))
        return true
      },
    )
  })
}

test('what was checked is not changed with the object that was given', () => {
  const options = { maxWorkers: 2 }
  const manager = new machines.Manager(options)
  options.maxWorkers = 9
  assert.deepEqual(Object.keys(options), ['maxWorkers'])
  assert.equal(manager.stats().role, 'manager')
})

test('close() and scale() check what they are given', async () => {
  const manager = new machines.Manager()
  for (const options of [{ force: 1 }, { timeout: -1 }, { wait: true }, 3]) {
    await assert.rejects(manager.close(options), { code: 'ERR_NC_INVALID_ARG' })
  }
  const counts = [-1, NaN, 1.5, '2', {}, { min: 1 }, { min: 3, max: 2 }, undefined, null, 5000]
  for (const workers of counts) {
    await assert.rejects(manager.scale(workers), { code: 'ERR_NC_INVALID_ARG' }, String(workers))
  }
  await manager.close()
})

test('the ready manager is one per thread', () => {
  assert.equal(machines.ScalabilityManager, machines.ScalabilityManager)
  assert.ok(machines.ScalabilityManager instanceof machines.Manager)
})
