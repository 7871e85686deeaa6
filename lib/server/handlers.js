'use strict'

// What each event of the core does.

const { getSystemErrorMap } = require('util')
const { KIND } = require('../core/events')
const { OP } = require('../core/commands')
const hydrate = require('../core/hydrate')
const { HTTPServerError } = require('sc-errors')
const Broker = require('../exchange/broker')
const upgrades = require('./upgrade')

// Flags of a publication.
const DELIVER = 1
const EVENT = 2
const PLACED = 4
const REPLAYED = 8

/** Events of one connection: read their fields, then act on its socket if there is one. */
const SESSION = {
  [KIND.CONNECTED](reader) {
    const authenticated = !!reader.u32()
    const auth = reader.auth()
    return (socket) => socket._onConnected(auth, authenticated)
  },
  [KIND.CLOSED](reader) {
    const code = reader.u32()
    const reason = reader.json()
    const channels = reader.names()
    return (socket) => socket._onClosed(code, reason, channels)
  },
  [KIND.GONE](reader, link, connection) {
    const code = reader.u32()
    const reason = reader.text()
    const counters = reader.counters()
    if (connection) link.remove(connection)
    return (socket) => socket._onGone(code, reason, counters)
  },
  [KIND.RAW_ASK](reader) {
    const message = reader.message()
    return (socket) => socket._onRawAsk(message)
  },
  [KIND.MESSAGE](reader) {
    const message = reader.message()
    return (socket) => socket._onMessage(message)
  },
  [KIND.RAW](reader) {
    const message = reader.message()
    return (socket) => socket.emit('raw', { message })
  },
  [KIND.HANDLED](reader) {
    const name = reader.name()
    const cid = reader.number()
    const json = reader.json()
    return (socket) => socket._onHandled(name, cid, json)
  },
  [KIND.PACKET_ASK](reader) {
    const seq = reader.u32()
    const kind = reader.packetKind()
    const name = reader.name()
    const cid = reader.number()
    const packet = { kind, name, cid, json: reader.json(), expired: reader.number() }
    return (socket) => socket._decide(seq, packet)
  },
  [KIND.RESPOND](reader) {
    const name = reader.name()
    const cid = reader.number()
    const request = reader.json()
    const error = reader.json()
    const data = reader.json()
    return (socket) => socket._onRespond(name, cid, request, error, data)
  },
  [KIND.RESPONSE](reader) {
    const rid = reader.number()
    const error = reader.json()
    const data = reader.json()
    return (socket) => socket._onResponse(rid, error, data)
  },
  [KIND.SUBSCRIBED](reader) {
    const channel = reader.name()
    const options = reader.text()
    const replaced = !!reader.u32()
    const data = reader.json()
    return (socket) => socket._onSubscribed(channel, options, replaced, data)
  },
  [KIND.UNSUBSCRIBED](reader) {
    const channel = reader.name()
    return (socket) => socket._onUnsubscribed(channel)
  },
  [KIND.VERIFY_ASK](reader) {
    const seq = reader.u32()
    const flow = reader.u32()
    const signed = reader.json()
    return (socket) => socket._onVerifyAsk(seq, flow, signed)
  },
  [KIND.HANDSHAKE_ASK](reader) {
    const seq = reader.u32()
    const cid = reader.number()
    const auth = reader.auth()
    return (socket) => socket._onHandshakeAsk(seq, cid, auth)
  },
  [KIND.AUTHENTICATE_ASK](reader) {
    const seq = reader.u32()
    const auth = reader.auth()
    return (socket) => socket._onAuthenticateAsk(seq, auth)
  },
  [KIND.AUTH_RESULT](reader) {
    const auth = reader.auth()
    return (socket) => socket._onAuthResult(auth)
  },
  [KIND.DEAUTHENTICATED]() {
    return (socket) => socket._applyDeauthentication()
  },
  [KIND.DECODE_ASK](reader) {
    const message = reader.message()
    const seq = reader.u32()
    return (socket) => socket._onDecodeAsk(seq, message)
  },
  [KIND.BROKER_SUBSCRIBE_ASK](reader) {
    const seq = reader.u32()
    const channel = reader.name()
    return (socket) => socket._onBrokerAsk(seq, 'subscribeSocket', channel)
  },
  [KIND.BROKER_UNSUBSCRIBE_ASK](reader) {
    const seq = reader.u32()
    const channel = reader.name()
    return (socket) => socket._onBrokerAsk(seq, 'unsubscribeSocket', channel)
  },
  [KIND.BROKER_PUBLISH_ASK](reader) {
    const seq = reader.u32()
    const cid = reader.number()
    const channel = reader.name()
    const json = reader.json()
    return (socket) => socket._onBrokerPublishAsk(seq, cid, channel, json, undefined)
  },
  [KIND.BROKER_PUBLISH_WITH_ASK](reader) {
    const seq = reader.u32()
    const cid = reader.number()
    const channel = reader.name()
    const json = reader.json()
    const options = reader.text()
    return (socket) => socket._onBrokerPublishAsk(seq, cid, channel, json, JSON.parse(options))
  },
  [KIND.HISTORY_ASK](reader) {
    const seq = reader.u32()
    const channel = reader.name()
    const page = reader.text()
    return (socket) => socket._onHistoryAsk(seq, channel, page)
  },
}

/** Bytes and orders for sockets that stay with Node.js. */
const BRIDGE = {
  [KIND.BRIDGE_WRITE]: (bridge, reader) => bridge.write(reader.bytes()),
  [KIND.BRIDGE_END]: (bridge) => bridge.end(),
  [KIND.BRIDGE_DESTROY]: (bridge) => bridge.destroy(),
  [KIND.BRIDGE_PAUSE]: (bridge) => bridge.pause(),
  [KIND.BRIDGE_RESUME]: (bridge) => bridge.resume(),
}

/** Events of the server as a whole. */
const GENERAL = {
  [KIND.ENCODE](reader, link) {
    const conns = reader.conns()
    const packet = reader.text()
    const message = link.server._codecBridge.encodePacket(packet)
    if (message === undefined) return
    const text = typeof message === 'string'
    const command = link.command(OP.SEND_MANY).u32(conns.length)
    for (const conn of conns) command.conn(conn)
    command.u32(text ? 1 : 0).bytes(Buffer.from(message))
  },
  [KIND.PUBLISH_OUT](reader, link) {
    const { conns, placed } = reader.receivers()
    const channel = reader.name()
    const data = link.server._decodeData(reader.json())
    const packet = placed ? { channel, data, ...reader.place() } : { channel, data }
    const options = link.server._publishOptions(packet)
    for (const { slot, generation } of conns) {
      const connection = link.connection(slot, generation)
      if (connection) link.server._socketOf(connection)._publishOut({ ...packet }, options)
    }
  },
  [KIND.PUBLISHED](reader, link) {
    const flags = reader.u32()
    const local = reader.u32()
    const channel = reader.name()
    const json = reader.json()
    const place = flags & PLACED ? reader.place() : undefined
    const { brokerEngine } = link.server
    const data = local ? link.takeLocal(local) : link.server._decodeData(json)
    if (flags & REPLAYED) brokerEngine._replay(channel, data, place)
    if (flags & DELIVER) brokerEngine._deliver(channel, data, place)
    if (flags & EVENT) brokerEngine._onNative(Broker.INTEREST_PUBLISH, channel, data)
  },
  [KIND.STREAM_ANSWER](reader, link) {
    const number = reader.u32()
    const error = reader.json()
    link.server._streams.answer(number, error, reader.json())
  },
  [KIND.PRESENCE](reader, link) {
    const channel = reader.name()
    const type = reader.u8() === 0 ? 'join' : 'leave'
    const id = reader.text()
    const info = link.server._decodeData(reader.json())
    link.server.exchange._onPresence(channel, type, id, info)
  },
  [KIND.CHANNEL_OPENED](reader, link) {
    link.server.brokerEngine._onNative(Broker.INTEREST_SUBSCRIBE, reader.name())
  },
  [KIND.CHANNEL_CLOSED](reader, link) {
    link.server.brokerEngine._onNative(Broker.INTEREST_UNSUBSCRIBE, reader.name())
  },
  [KIND.IDLE](_reader, link) {
    link.onIdle()
  },
  [KIND.HANDED](reader, link) {
    link.server._entrance.take(reader.bytes())
  },
  [KIND.ACCEPT_FAILED](reader, link) {
    link.server.emitWarning(acceptError(reader.number()))
  },
  [KIND.FAULT](reader, link) {
    const error = new HTTPServerError(`Internal fault: ${reader.text()}`)
    error.code = 'ERR_INTERNAL_FAULT'
    link.server.emitError(error)
  },
}

function acceptError(errno) {
  const [code, text] = getSystemErrorMap().get(-errno) || ['UNKNOWN', 'unknown error']
  const error = new HTTPServerError(`accept ${code}: ${text}`)
  return Object.assign(error, { code, syscall: 'accept' })
}

/** A packet for the app, which is most of what comes; returns the stream it went to. */
function onPacket(link, reader) {
  const connection = link.connection(reader.u32(), reader.u32())
  const kind = reader.packetKind()
  const name = reader.name()
  const cid = reader.number()
  const payload = reader.payload()
  if (!connection) return undefined
  const { server } = link
  return server._socketOf(connection)._handle(kind, name, cid, server._decodePayload(payload))
}

/** Handles the next event; returns the stream it went to if it was a packet for the app. */
function dispatch(link, reader) {
  const kind = reader.kind()
  if (kind === KIND.PACKET) return onPacket(link, reader)
  if (GENERAL[kind]) GENERAL[kind](reader, link)
  else onSession(link, reader, kind)
  return undefined
}

function onSession(link, reader, kind) {
  const [slot, generation] = [reader.u32(), reader.u32()]
  if (kind === KIND.ACCEPTED) {
    const connection = link.add([slot, generation], reader.text(), reader.text())
    return upgrades.welcome(link.server, connection)
  }
  // Of an error or the end nothing has to be made in JavaScript.
  const connection =
    kind === KIND.ERROR || kind === KIND.GONE
      ? link.known(slot, generation)
      : link.connection(slot, generation)
  if (BRIDGE[kind]) {
    if (connection && connection.bridge) BRIDGE[kind](connection.bridge, reader)
    else if (kind === KIND.BRIDGE_WRITE) reader.bytes()
    return
  }
  if (kind === KIND.ERROR) {
    onError(link, connection, hydrate(reader.error()))
    return
  }
  const act = SESSION[kind](reader, link, connection)
  if (!connection) return
  const socket = kind === KIND.GONE ? connection.socket : link.server._socketOf(connection)
  if (socket) act(socket)
}

// Where nobody holds the socket, its errors still are the server's warnings.
function onError(link, connection, error) {
  if (connection && connection.socket) connection.socket._onError(error)
  else link.server.emitWarning(error)
}

module.exports = { dispatch }
