'use strict'

// What the default broker needs from the core.

const { OP } = require('../core/commands')
const { toWire } = require('../core/names')
const Broker = require('../exchange/broker')

/**
 * @param {import('./server')} server
 * @returns {import('../exchange/broker').BrokerPort}
 */
function makePort(server) {
  const link = () => server._native
  const jsChannels = new Set()
  let listening = false
  return {
    streams: server._streams,
    subscribe(channel) {
      jsChannels.add(channel)
      return link().ask('subscribeJs', toWire(channel))
    },
    unsubscribe(channel) {
      jsChannels.delete(channel)
      return link().ask('unsubscribeJs', toWire(channel))
    },
    publish(channel, json, suppressEvent, data) {
      const heard = jsChannels.has(channel) || (listening && !suppressEvent)
      if (server.hasMiddleware(server.MIDDLEWARE_OUTBOUND)) {
        // Outbound middleware is JavaScript's, so the sockets are served from here and at once.
        link().publishedHere++
        publishOut(server, channel, data)
        const { brokerEngine } = server
        brokerEngine._deliver(channel, data)
        if (listening && !suppressEvent) {
          brokerEngine._onNative(Broker.INTEREST_PUBLISH, channel, data)
        }
        return
      }
      link().publish(channel, json, suppressEvent, heard ? { data } : undefined)
    },
    publishValue(channel, data, suppressEvent) {
      this.publish(channel, server._codecBridge.encodeData(data), suppressEvent, data)
    },
    subscriptions: () => link().channels(),
    isSubscribed: (channel) => link().hasChannel(channel),
    async subscribeSocket(socket, channel) {
      link().command(OP.SUBSCRIBE_SOCKET, socket._native).text(toWire(channel))
    },
    async unsubscribeSocket(socket, channel) {
      link().unsubscribeSocket(socket._native, channel)
    },
    setInterest(bit, on) {
      if (bit === Broker.INTEREST_PUBLISH) listening = on
      server._interest.setBroker(bit, on)
    },
    onPatched: () => server._reconfigure(),
  }
}

function publishOut(server, channel, data) {
  const packet = { channel, data }
  const options = server._publishOptions(packet)
  for (const connection of server._native.subscribers(channel)) {
    server._socketOf(connection)._publishOut({ ...packet }, options)
  }
}

module.exports = makePort
