'use strict'

// Whatever an app can name on SocketCluster's objects is there, with the same kind of value.

const assert = require('node:assert/strict')
const { once, oursTest, startServer, subject, transportOption, transports } = require('../support')
const upstream = require('socketcluster-server')
const upstreamAction = require('socketcluster-server/action')
const action = require('../../action')

/** Arguments are not counted where the facade passes on whatever it gets. */
const COUNTED = new Set(['server', 'socket', 'exchange', 'channel', 'broker', 'request', 'action'])

/** Parts of the WebSocket engine that the facades leave out: see docs/divergences.md. */
const LEFT_OUT = {
  webSocket: [
    ...['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'url'],
    ...['onclose', 'onerror', 'onmessage', 'onopen', 'addEventListener', 'removeEventListener'],
    ...['setSocket', 'emitClose', 'pause', 'resume', 'ping', 'pong'],
  ],
  wsServer: ['options', 'address', 'close', 'shouldHandle', 'handleUpgrade', 'completeUpgrade'],
}

/** Own properties there, computed ones of the prototype here: see docs/divergences.md. */
const COMPUTED = new Set([
  ...['socket', 'authToken', 'channelSubscriptions', 'channelSubscriptionsCount'],
  ...['inboundReceivedMessageCount', 'inboundProcessedMessageCount'],
  ...['outboundPreparedMessageCount', 'outboundSentMessageCount'],
  ...['inboundMessageStream', 'outboundPacketStream', 'middlewareInboundRawStream'],
  ...['middlewareInboundStream', 'middlewareOutboundStream', 'middlewareHandshakeStream'],
  ...['request', 'remoteAddress', 'remoteFamily', 'remotePort'],
])

const isPublic = (name) => !name.startsWith('_') && name !== 'constructor'

/** Every public member of an object by its name, those of its prototypes included. */
function membersOf(object) {
  const members = new Map()
  const end = [Object.prototype, Function.prototype, null]
  for (let at = object; !end.includes(at); at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (isPublic(name) && !members.has(name)) members.set(name, object[name])
    }
  }
  return members
}

/** Whether an assignment is refused, which throws in strict mode. */
function isReadOnly(object, name) {
  for (let at = object; at !== null; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name)
    if (descriptor) return !descriptor.writable && !descriptor.set
  }
  return false
}

/** What is different about our object, in words. */
function differences(place, theirs, ours) {
  const found = []
  const members = membersOf(ours)
  for (const [name, value] of membersOf(theirs)) {
    if ((LEFT_OUT[place] || []).includes(name)) continue
    const our = members.get(name)
    if (!members.has(name)) found.push(`${name} is missing`)
    else if (typeof our !== typeof value) found.push(`${name} is ${typeof our}`)
    else if (isReadOnly(ours, name) && !isReadOnly(theirs, name)) found.push(`${name} is read-only`)
    else if (typeof value === 'function' && COUNTED.has(place) && our.length < value.length) {
      found.push(`${name} takes ${our.length} arguments`)
    }
  }
  for (const name of Object.keys(theirs).filter(isPublic)) {
    if ((LEFT_OUT[place] || []).includes(name)) continue
    if (!Object.keys(ours).includes(name) && !COMPUTED.has(name)) {
      found.push(`${name} is not enumerable`)
    } else if (COMPUTED.has(name) && !isEnumerable(ours, name)) found.push(`${name} is hidden`)
  }
  return found
}

function isEnumerable(object, wanted) {
  for (const name in object) if (name === wanted) return true
  return false
}

/** All objects an app meets with one client, before and after its handshake and after its end. */
async function visit(lib, options, check) {
  const running = await startServer({ ...options, lib })
  const seen = { server: running.server }
  try {
    running.server.setMiddleware('inbound', async (stream) => {
      for await (const each of stream) {
        seen.action = each
        each.allow()
      }
    })
    const handshake = once(running.server, 'handshake')
    const client = await running.open()
    const { socket } = await handshake
    check('socket', socket, 'connecting')
    await client.handshake()
    await running.socketOf(socket.id)
    const request = socket.procedure('call').once()
    client.invoke('call', 1).catch(() => {})
    seen.request = await request
    seen.channel = running.server.exchange.subscribe('channel')
    check('socket', socket, 'open')
    const ended = once(socket, 'end')
    client.sendClose(1000)
    await ended
    check('socket', socket, 'closed')
    Object.assign(seen, {
      webSocket: socket.socket,
      wsServer: running.server.wsServer,
      exchange: running.server.exchange,
      broker: running.server.brokerEngine,
      options: running.server.options,
      listener: socket.listener('x'),
      consumer: socket.listener('x').createConsumer(),
      inboundMessageStream: socket.inboundMessageStream,
      middlewareInboundStream: socket.middlewareInboundStream,
    })
    for (const [place, object] of Object.entries(seen)) check(place, object, '')
  } finally {
    await running.stop()
  }
}

async function objectsOf(lib, options) {
  const objects = new Map()
  await visit(lib, options, (place, object, when) => {
    // A socket changes: what it shows is compared as it was.
    objects.set(`${place} ${when}`.trim(), { place, object: when ? snapshot(object) : object })
  })
  return objects
}

/** The members as they are now, on an object of the same prototypes. */
function snapshot(object) {
  const own = Object.getOwnPropertyDescriptors(object)
  return Object.create(Object.getPrototypeOf(object), own)
}

function assertNoDifferences(found) {
  const listed = Object.entries(found).filter(([, list]) => list.length)
  assert.deepEqual(Object.fromEntries(listed), {})
}

for (const transport of transports) {
  oursTest(`every member of the upstream's objects is there (${transport})`, async () => {
    const theirs = await objectsOf(upstream, {})
    const ours = await objectsOf(subject, transportOption(transport))
    const found = {}
    for (const [key, { place, object }] of theirs) {
      found[key] = differences(place, object, ours.get(key).object)
    }
    assertNoDifferences(found)
  })
}

oursTest('the classes and their constants are there', () => {
  const own = (object) =>
    Object.fromEntries(
      Object.entries(object).filter(([name, value]) => isPublic(name) && typeof value === 'string'),
    )
  for (const name of ['AGServer', 'AGServerSocket', 'AGRequest']) {
    assert.deepEqual(own(subject[name]), own(upstream[name]))
    assert.deepEqual(own(subject[name].prototype), own(upstream[name].prototype))
  }
  const added = { HISTORY: 'history', PRESENCE: 'presence' }
  assert.deepEqual(own(action), { ...own(upstreamAction), ...added })
  assert.deepEqual(own(action.prototype), { ...own(upstreamAction.prototype), ...added })
  assertNoDifferences({
    module: differences('module', upstream, subject),
    AGServerSocket: differences('class', upstream.AGServerSocket, subject.AGServerSocket).filter(
      (text) => !/^(arguments|caller|prototype) /.test(text),
    ),
  })
})
