'use strict'

// Packets for the app, and questions of the core's that only JavaScript can answer.

const { dehydrateError, AuthTokenExpiredError } = require('sc-errors')
const { OP } = require('../core/commands')
const { encodeData } = require('../core/encode')
const StreamError = require('../core/stream-error')
const AGAction = require('../server/action')
const { closeFrameError } = require('./close-frame')

/** What else than `data` an action about a channel has where there are streams, by its type. */
const CHANNEL_FIELDS = new Map([
  [AGAction.SUBSCRIBE, ['since']],
  [AGAction.PUBLISH_IN, ['key', 'delay', 'at']],
  [AGAction.HISTORY, ['limit', 'since', 'reverse']],
  [AGAction.PRESENCE, []],
])
const CHANNEL_EVENTS = new Map([
  [AGAction.SUBSCRIBE, '#subscribe'],
  [AGAction.PUBLISH_IN, '#publish'],
  [AGAction.HISTORY, '#history'],
  [AGAction.PRESENCE, '#presence'],
])

/** Close code of a handshake that middleware refused without naming one. */
const REJECTED = 4008

const asks = {
  // ---- packets ----

  /** Gives a packet to whom it is for; returns the stream it went to. */
  _handle(kind, name, cid, data) {
    if (kind !== AGAction.INVOKE) {
      return this._receiverDemux && this._receiverDemux.put(name, data)
    }
    if (!this._procedureDemux) return undefined
    return this._procedureDemux.put(name, this.createRequest(this, cid, name, data))
  },

  /**
   * Has inbound middleware decide on a packet.
   * @param {number} seq
   * @param {{ kind: string, name: string, cid?: number, json: any, expired?: number }} packet
   */
  async _decide(seq, packet) {
    const { kind, name, cid, expired } = packet
    const channelPacket = CHANNEL_FIELDS.has(kind)
    const fields = channelPacket ? JSON.parse(packet.json) : undefined
    const data = this._actionData(packet, fields)
    const action = new AGAction()
    action.socket = this
    if (expired !== undefined) {
      action.authTokenExpiredError = new AuthTokenExpiredError(
        'The socket auth token has expired',
        expired,
      )
    }
    action.type = kind
    if (channelPacket) action.channel = name
    else action[kind === AGAction.INVOKE ? 'procedure' : 'receiver'] = name
    if (channelPacket || data !== undefined) action.data = data
    if (channelPacket && this.server._streams.on) setStreamFields(action, fields)
    const request =
      cid === undefined ? undefined : this.createRequest(this, cid, eventOf(kind, name), data)
    let newData
    try {
      ;({ data: newData } = await this.server._processMiddlewareAction(
        this.middlewareInboundStream,
        action,
        this,
      ))
    } catch (error) {
      if (request) request.error(error)
      this._reply(OP.BLOCK, seq, (command) => command.u32(0).text(''))
      return
    }
    if (kind === AGAction.HISTORY || kind === AGAction.PRESENCE) this._reply(OP.ALLOW, seq)
    else if (channelPacket) this._allowWith(seq, newData)
    else this._allowHandled(seq, packet, request, newData)
  },

  _actionData({ json }, fields) {
    if (!fields) return this.server._decodeData(json)
    const { data } = fields
    if (data === undefined || !this.server._codecBridge.active) return data
    return this.server._decodeData(JSON.stringify(data))
  },

  /** Middleware may have changed the data in place, so it is always taken over. */
  _allowWith(seq, data) {
    let json
    try {
      json = this._encodeData(data)
    } catch (error) {
      this.emitError(error)
      this._reply(OP.BLOCK, seq, (command) => command.u32(0).text(''))
      return
    }
    this._reply(OP.REPLACE, seq, (command) => command.json(json))
  },

  _encodeData(data) {
    const bridge = this.server._codecBridge
    if (bridge.active) return bridge.encodeData(data)
    return encodeData(data)
  },

  _allowHandled(seq, { kind, name }, request, data) {
    if (request) {
      request.data = data
      if (this._procedureDemux) this._procedureDemux.write(name, request)
    } else this._handle(kind, name, undefined, data)
    this._reply(OP.ALLOW, seq)
  },

  _onHandled(name, cid, json) {
    const data = json === undefined ? undefined : JSON.parse(json)
    if (cid === undefined) {
      if (this._receiverDemux) this._receiverDemux.write(name, data)
      return
    }
    if (!this._procedureDemux) return
    const known = this._answered && this._answered.id === cid && this._answered.procedure === name
    const request = known ? this._answered : this.createRequest(this, cid, name, data)
    request.sent = true
    this._procedureDemux.write(name, request)
  },

  /** A packet of the protocol is answered through a request of the app's own. */
  _onRespond(name, cid, requestJson, errorJson, json) {
    const parsed = requestJson === undefined ? undefined : JSON.parse(requestJson)
    const request = this.createRequest(this, cid, name, parsed)
    this._answered = request
    if (errorJson !== undefined) request.error(JSON.parse(errorJson))
    else request.end(json === undefined ? undefined : JSON.parse(json))
  },

  // ---- raw messages ----

  async _onRawAsk(message) {
    const action = new AGAction()
    action.socket = this
    action.type = AGAction.MESSAGE
    action.data = message
    let accepted
    try {
      const { server, middlewareInboundRawStream } = this
      const result = await server._processMiddlewareAction(middlewareInboundRawStream, action, this)
      accepted = result.data
    } catch {
      if (!this._gone) this._command(OP.REFUSE)
      return
    }
    if (this._gone) return
    const text = typeof accepted === 'string'
    const bytes = Buffer.from(/** @type {any} */ (accepted))
    this._command(OP.ACCEPT)
      .u32(text ? 1 : 0)
      .bytes(bytes)
  },

  // ---- handshake ----

  async _onHandshakeAsk(seq, cid, auth) {
    const info = this._authentication(auth)
    const action = new AGAction()
    action.request = this.request
    action.socket = this
    action.type = AGAction.HANDSHAKE_SC
    action.data = {
      signedAuthToken: info.signedAuthToken,
      authTokenError: info.authTokenError,
      authToken: info.authToken,
      authState: info.authState,
    }
    try {
      await this.server._processMiddlewareAction(this.middlewareHandshakeStream, action, this)
    } catch (error) {
      this._refuseHandshake(seq, cid, error)
      return
    }
    this._reply(OP.ALLOW, seq)
  },

  _refuseHandshake(seq, cid, error) {
    if (error.statusCode == null) error.statusCode = REJECTED
    this.sendObject({ rid: cid, error: dehydrateError(error) })
    this._reply(OP.BLOCK, seq, (command) => command.u32(0).text(''))
    const { statusCode } = error
    const code = closeFrameError(statusCode) ? REJECTED : statusCode
    this.disconnect(code)
  },

  // ---- codec ----

  _onDecodeAsk(seq, message) {
    let json = ''
    try {
      json = this.server._codecBridge.decodeMessage(message)
    } catch (error) {
      if (error.name === 'Error') error.name = 'InvalidMessageError'
      this.emitError(error)
    }
    this._reply(OP.DECODED, seq, (command) => command.text(json))
  },

  // ---- broker ----

  async _onBrokerAsk(seq, method, channel) {
    try {
      await this.server.brokerEngine[method](this, channel)
    } catch (error) {
      this._reply(OP.FAILED, seq, (command) => command.text(`${error}`))
      return
    }
    this._reply(OP.ALLOW, seq)
  },

  async _onBrokerPublishAsk(seq, cid, channel, json, options) {
    let result
    try {
      result = await publish(this.server, channel, this.server._decodeData(json), options)
    } catch (error) {
      this.emitError(error)
      if (cid !== undefined) this.sendObject({ rid: cid, error: dehydrateError(error) })
      this._reply(OP.BLOCK, seq, (command) => command.u32(0).text(''))
      return
    }
    if (result === undefined || !this.server._streams.on) this._reply(OP.ALLOW, seq)
    else this._reply(OP.REPLACE, seq, (command) => command.json(JSON.stringify(result)))
  },

  /** Answers the core, unless it has forgotten the connection. */
  _reply(operation, seq, fields) {
    if (this._gone) return
    const command = this._command(operation).u32(seq)
    if (fields) fields(command)
  },
}

function eventOf(kind, name) {
  return CHANNEL_EVENTS.get(kind) || name
}

// A key that is not there stays away from the action.
function setStreamFields(action, fields) {
  for (const name of CHANNEL_FIELDS.get(action.type)) {
    if (Object.hasOwn(fields, name)) action[name] = fields[name]
  }
}

async function publish({ brokerEngine, exchange }, channel, data, options) {
  if (options === undefined) return exchange.invokePublish(channel, data)
  if (brokerEngine._isPatched('exchange.invokePublish')) {
    throw new StreamError(
      'The invokePublish method of the exchange was replaced: it knows no key, delay or at',
      'ERR_BAD_REQUEST',
    )
  }
  return exchange.invokePublish(channel, data, options)
}

module.exports = asks
