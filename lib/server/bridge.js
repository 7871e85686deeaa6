'use strict'

// A connection whose socket stays with Node.js (TLS, Windows, any other duplex): its bytes are
// handed to the core and back.

class Bridge {
  /**
   * @param {import('./link')} link
   * @param {import('stream').Duplex} stream
   */
  constructor(link, stream) {
    this.link = link
    this.stream = stream
    this.connection = undefined
  }

  /** Starts to pass bytes on, beginning with those that were read already. */
  start(connection, head) {
    const { stream } = this
    const { core } = this.link
    const { slot, generation } = connection
    this.connection = connection
    connection.bridge = this
    this.link.whenSeen(() => {
      if (head.length) core.bridgeReceive(slot, generation, head)
      stream.on('data', (chunk) => core.bridgeReceive(slot, generation, chunk))
    })
    stream.on('end', () => core.bridgeEnded(slot, generation))
    // An error is followed by 'close', and that is all the protocol knows.
    stream.on('error', () => stream.destroy())
    stream.on('close', () => core.bridgeClosed(slot, generation))
  }

  write(bytes) {
    const { slot, generation } = this.connection
    if (this.stream.destroyed || this.stream.writableEnded) return
    this.stream.write(bytes, () => {
      this.link.core.bridgeSent(slot, generation, bytes.length)
    })
  }

  end() {
    this.stream.end()
  }

  destroy() {
    this.stream.destroy()
  }

  pause() {
    this.stream.pause()
  }

  resume() {
    this.stream.resume()
  }
}

module.exports = Bridge
