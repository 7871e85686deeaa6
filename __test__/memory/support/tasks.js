'use strict'

// What threads and processes do to a memory in the tests.

const { randomOf } = require('../../values/random-values.js')

/** The same clock in all threads and processes of a machine. */
function now() {
  return process.hrtime.bigint()
}

module.exports = {
  async ready(memory) {
    await memory.ready
  },

  async count(memory, { key, times }) {
    for (let i = 0; i < times; i++) await memory.increment(key)
  },

  async countBy(memory, { key, times, way }) {
    const ways = {
      increment: () => memory.increment(key),
      update: () => memory.update(key, (old = 0) => old + 1),
      transaction: () => memory.transaction((tx) => tx.increment(key)),
      lock: async () => {
        const lock = await memory.lock(key)
        await memory.set(key, ((await memory.get(key)) ?? 0) + 1)
        await lock.release()
      },
      runOnKey: () =>
        memory.runOnKey(key, (entry) => {
          entry.value = (entry.value ?? 0) + 1
        }),
    }
    for (let i = 0; i < times; i++) await ways[way]()
  },

  /** Random reads and writes of few keys, each with when it began and ended. */
  async history(memory, { index, keys, times, seed }) {
    const random = randomOf(seed * 1000 + index)
    const known = new Map()
    const history = []
    for (let i = 0; i < times; i++) {
      const key = keys[Math.floor(random() * keys.length)]
      const mine = `${index}-${i}`
      const kind = random()
      const start = now()
      if (kind < 0.4) {
        const entry = await memory.getEntry(key)
        known.set(key, entry)
        history.push({ key, op: 'get', value: entry?.value, start, end: now() })
      } else if (kind < 0.55) {
        await memory.set(key, mine)
        history.push({ key, op: 'set', value: mine, start, end: now() })
      } else if (kind < 0.65) {
        const existed = await memory.delete(key)
        history.push({ key, op: 'delete', existed, start, end: now() })
      } else {
        const seen = known.get(key)
        const done = await memory.compareAndSet(key, seen?.version, mine)
        history.push({ key, op: 'cas', from: seen?.value, value: mine, done, start, end: now() })
      }
    }
    return history
  },

  /** Reads by the near cache, and writes. */
  async nearHistory(memory, { index, key, times, seed }) {
    const random = randomOf(seed * 1000 + index)
    const history = []
    for (let i = 0; i < times; i++) {
      const start = now()
      if (random() < 0.9) {
        const value = memory.getSync(key)
        history.push({ key, op: 'get', value, start, end: now() })
      } else {
        const value = `${index}-${i}`
        memory.setSync(key, value)
        history.push({ key, op: 'set', value, start, end: now() })
      }
    }
    return history
  },

  /** Moves money between accounts, and sees in each that nothing is lost. */
  async bank(memory, { index, accounts, times, total }) {
    const random = randomOf(index + 1)
    const names = Array.from({ length: accounts }, (_, i) => `account ${i}`)
    let wrong = 0
    for (let i = 0; i < times; i++) {
      const from = names[Math.floor(random() * accounts)]
      const to = names[Math.floor(random() * accounts)]
      const amount = Math.floor(random() * 100)
      if (i % 5 === 0) {
        const sum = await memory.transaction(
          async (tx) => {
            const all = await tx.getMany(names)
            return Object.values(all).reduce((a, b) => a + b, 0)
          },
          { retries: 100_000 },
        )
        if (sum !== total) wrong++
      } else {
        await memory.transaction(
          async (tx) => {
            await tx.set(from, (await tx.get(from)) - amount)
            await tx.set(to, (await tx.get(to)) + amount)
          },
          { retries: 100_000 },
        )
      }
    }
    return wrong
  },

  /** Holds a lock again and again; only one may be inside, and tokens only rise. */
  async exclude(memory, { key, times }) {
    const tokens = []
    let wrong = 0
    for (let i = 0; i < times; i++) {
      const lock = await memory.lock(key)
      tokens.push(lock.token)
      if ((await memory.increment(`${key} inside`)) !== 1) wrong++
      await new Promise(setImmediate)
      await memory.increment(`${key} inside`, -1)
      if (!(await lock.release())) wrong++
    }
    return { tokens, wrong }
  },

  async hold(memory, { key, leaseTime }) {
    const { token } = await memory.lock(key, { leaseTime })
    return token
  },

  async holdTurn(memory, { key }) {
    void memory.runOnKey(key, () => new Promise(() => {}))
    await memory.set(`${key} held`, true)
  },

  async set(memory, { key, value }) {
    return memory.set(key, value)
  },

  async get(memory, { key }) {
    return memory.get(key)
  },

  async each(memory, { key, times }) {
    for (let i = 1; i <= times; i++) await memory.set(key, i)
  },

  /** Every method once. */
  async everything(memory, { index }) {
    const key = (name) => `everything ${index} ${name}`
    const seen = []
    const watch = memory.watch({ prefix: key('') })
    await memory.set(key('a'), { list: [1] })
    await memory.set({ [key('b')]: 1, [key('c')]: new Date(0) })
    seen.push(await memory.get(key('a')), (await memory.getEntry(key('b'))).value)
    seen.push(Object.values(await memory.getMany([key('b'), key('c')])).length)
    seen.push(await memory.has(key('a')), await memory.increment(key('b'), 2))
    seen.push(await memory.compareAndSet(key('d'), undefined, 'new'), await memory.delete(key('d')))
    seen.push(await memory.update(key('b'), (old) => old * 2))
    seen.push(await memory.transaction((tx) => tx.increment(key('b'))))
    seen.push((await (await memory.lock(key('l'))).release()) === true)
    const names = []
    for await (const name of memory.keys({ prefix: key('') })) names.push(name)
    seen.push(names.length)
    let entries = 0
    for await (const entry of memory.entries({ prefix: key('') }))
      entries += entry.key.length > 0 ? 1 : 0
    seen.push(entries, (await memory.stats()).entries > 0)
    seen.push((await watch.next()).value.value)
    await watch.return()
    return seen
  },
}
