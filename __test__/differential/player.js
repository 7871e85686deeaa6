'use strict'

const { eventually, quiet, RawClient } = require('../support')
const { transcriptOf } = require('./transcript')

/** Plays one session to one side: makes its clients, and waits where the outcome must be known. */
class Player {
  constructor(side) {
    this.side = side
    this.clients = []
    this.fences = 0
  }

  async open(options = {}) {
    const client = new RawClient({ port: this.side.port, ...options })
    this.clients.push(client)
    await client.open()
    return client
  }

  /** A client after its handshake, whatever came of it. */
  async connect({ handshake = {}, ...options } = {}) {
    const client = await this.open(options)
    if (client.status === 101) {
      client.send({ event: '#handshake', data: handshake, cid: 1 })
      await client.until(() => client.packets.length > 0 || client.gone(), 'handshake answer')
      const [answer] = client.packets
      if (answer && answer.data) client.id = answer.data.id
    }
    return client
  }

  /** Everything which was sent before is handled, or the connection has ended. */
  async fence(client) {
    await quiet(12)
    if (client.gone()) return this.end(client)
    const data = `fence ${this.fences++}`
    client.send({ event: 'echo', data, cid: 999000 + this.fences })
    const passed = () => client.texts.some((text) => text.includes(data))
    await client.until(() => passed() || client.gone(), 'fence of the session')
    if (client.gone()) await this.end(client)
  }

  end(client) {
    return client.untilEnded()
  }

  async play(run) {
    try {
      await run(this)
      for (const client of this.clients) if (client.closed) await client.untilEnded()
      await quiet(8)
      const ended = this.clients.map((client) => client.ended)
      for (const client of this.clients) await this.leave(client)
      await this.untilEmpty()
      const transcript = transcriptOf(this.clients, this.side.takeLog())
      transcript.clients.forEach((client, n) => (client.ended = ended[n]))
      return transcript
    } finally {
      for (const client of this.clients) client.destroy()
    }
  }

  /** Clients leave one by one, so that the events of their ends keep one order. */
  async leave(client) {
    client.destroy()
    await eventually(() => !client.id || !this.side.server.clients[client.id], 'closed client')
    await quiet(3)
  }

  untilEmpty() {
    const { server } = this.side
    const left = () => Object.keys(server.clients).length + server.pendingClientsCount
    return eventually(() => left() === 0, 'server without clients').then(() => quiet(8))
  }
}

module.exports = { Player }
