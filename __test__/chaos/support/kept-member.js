'use strict'

const { create } = require('../../../client')
const { consume } = require('../../support/events')
const { Journal } = require('./journal')
const { RECONNECT } = require('./stock-member')

/** A client of es-networkcluster/client, which keeps positions itself. */
class KeptMember {
  constructor(name, port, channels) {
    this.journal = new Journal(name)
    this.channels = channels
    this.socket = create({
      hostname: '127.0.0.1',
      port,
      autoReconnectOptions: RECONNECT,
      ackTimeout: 5000,
      authTokenName: `chaos-${name}`,
    })
    this._handles = channels.map((name) => this._follow(name))
  }

  get current() {
    return this._handles.every((channel) => channel.state === 'subscribed')
  }

  publish(channel, data, key) {
    return this.socket.invokePublish(channel, data, { key })
  }

  close() {
    this.socket.disconnect()
  }

  _follow(name) {
    const channel = this.socket.subscribe(name)
    consume(channel.listener('message'), (message) => this.journal.handed(name, message))
    consume(channel.listener('recover'), (told) => this.journal.told(name, told))
    consume(channel.listener('subscribeFail'), ({ error }) => this.journal.refused(name, error))
    return channel
  }
}

module.exports = { KeptMember }
