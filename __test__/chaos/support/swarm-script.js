'use strict'

// Many clients in a process of their own. Its argument is JSON: `{ port, first, count, channels }`;
// client `n` listens to one channel, `storm/<n % channels>`, whose messages are its offsets. Told `storm`, all
// lose their connections and come back within `spread` ms with the position they have.

const { LightClient } = require('./light-client')
const { Random } = require('./random')

const { port, first, count, channels } = JSON.parse(process.argv[2])
/** Handshakes under way at a time. */
const AT_ONCE = 64

const totals = { recovered: 0, lost: 0, missing: 0, twice: 0, wrong: 0, refused: 0, messages: 0 }

class Member {
  constructor(number) {
    this.channel = `storm/${number % channels}`
    this.position = null
  }

  async connect() {
    for (;;) {
      this.client = new LightClient(port, (packet) => this._packet(packet))
      try {
        await this.client.connect()
        const since = this.position ? { since: this.position } : {}
        const answer = await this.client.call('#subscribe', { channel: this.channel, ...since })
        return void answer
      } catch (error) {
        if (error.code) totals.refused++
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  async storm(delay) {
    this.client.destroy()
    await new Promise((resolve) => setTimeout(resolve, delay))
    await this.connect()
  }

  /** Answers and messages are taken in the order in which they come: replayed ones are behind the answer. */
  _packet({ event, rid, data }) {
    if (event === '#publish') this._message(data)
    else if (rid && data?.epoch) this._subscribed(data)
  }

  _subscribed({ epoch, offset, recovered }) {
    if (this.position && recovered) totals.recovered++
    else if (this.position) totals.lost++
    if (!this.position || !recovered) this.position = { epoch, offset }
  }

  _message({ epoch, offset, data }) {
    totals.messages++
    if (epoch !== this.position.epoch || data !== offset) totals.wrong++
    const step = offset - this.position.offset
    if (step > 1) totals.missing += step - 1
    if (step < 1) totals.twice++
    this.position = { epoch, offset }
  }
}

const random = new Random(first + 1)
const members = Array.from({ length: count }, (_, index) => new Member(first + index))

const calls = {
  async connect() {
    const waiting = [...members]
    const work = async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) await next.connect()
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  },
  async storm(spread) {
    await Promise.all(members.map((member) => member.storm(random.between(0, spread))))
  },
  /** The totals, and how many are at the head of their channel. */
  async report(heads) {
    const there = members.filter(({ channel, position }) => position.offset === heads[channel])
    return { ...totals, there: there.length }
  },
}

process.on('disconnect', () => process.exit())
process.on('message', async ({ id, call, args }) => {
  process.send({ id, value: (await calls[call](...args)) ?? null })
})
