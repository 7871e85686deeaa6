'use strict'

// What the core reports of a session, applied to its socket in the order it happened.

const { hydrateError, SocketProtocolError, BrokerError } = require('sc-errors')
const { socketProtocolErrorStatuses, socketProtocolIgnoreStatuses } = require('sc-errors')
const { OP } = require('../core/commands')

const session = {
  /** Made after the connection was: catches up without events. */
  _adopt(open) {
    if (!open) return
    this.server._pendingClients.delete(this)
    this.server._clients.add(this)
    this.state = this.OPEN
  },

  _onConnected(auth, isAuthenticated) {
    if (this.state !== this.CONNECTING) return
    const { server, id } = this
    const { pingTimeout } = server
    // Without a token the error is for handshake middleware only.
    if (auth.signed === undefined) auth.error = undefined
    const info = this._authentication(auth)
    const status = { id, pingTimeout }
    this._finishAuthentication(info)
    if (info.error && info.signedAuthToken != null) {
      status.authError = info.error
      if (info.error.isBadToken) this._applyDeauthentication()
    }
    status.isAuthenticated = isAuthenticated
    server._pendingClients.delete(this)
    server._clients.add(this)
    this.state = this.OPEN
    this._batchOnHandshake()
    if (isAuthenticated) this._triggerWhenConnected(info.oldAuthState)
    this.emit('connect', status)
    server.emit('connection', { socket: this, ...status })
    this._handshakeStream()?.close()
  },

  // After the connection event, so that loops set up there hear of it.
  async _triggerWhenConnected(oldAuthState) {
    await this.listener('connect').once()
    this.triggerAuthenticationEvents(oldAuthState)
  },

  _onClosed(code, reason, channels) {
    this._applyClose(code, reason)
    this._end(channels)
  },

  /** The app ends the session: what follows happens at once. */
  _close(code, reason, sentCode, sentReason) {
    const channels = this.subscriptions()
    this._applyClose(code, reason)
    if (!this._gone) {
      this._command(OP.CLOSE)
        .u32(sentCode)
        .text(sentReason === undefined ? '' : String(sentReason))
    }
    this._end(channels)
  },

  /** The session is over: events, in SocketCluster's order. */
  _applyClose(code, reason) {
    if (this.state === this.CLOSED) return
    const { server } = this
    const text = reason || socketProtocolErrorStatuses[code] || reason
    const type = this.state === this.CONNECTING ? 'connectAbort' : 'disconnect'
    this.state = this.CLOSED
    this._forgetBatch()
    this._abortCalls(type, code, text)
    this.emit(type, { code, reason: text })
    const serverType = type === 'disconnect' ? 'disconnection' : 'connectionAbort'
    server.emit(serverType, { socket: this, code, reason: text })
    this.emit('close', { code, reason: text })
    server.emit('closure', { socket: this, code, reason: text })
    server._clients.delete(this)
    server._pendingClients.delete(this)
    if (!socketProtocolIgnoreStatuses[code]) this.emitError(closeError(code, text))
  },

  /** What follows the end: subscriptions, then the streams. */
  async _end(channels) {
    if (this._ended) return
    this._ended = true
    await Promise.all(channels.map((channel) => this._leftChannel(channel)))
    this._cleanUpStreams()
    this.emit('end')
  },

  async _cleanUpStreams() {
    const mode = this.server.options.socketStreamCleanupMode
    if (mode !== 'kill' && mode !== 'close') return
    await this.listener('end').once()
    if (mode === 'kill') this.killAllStreams()
    else this.closeAllStreams()
  },

  _dropInbound() {
    if (!this._gone) this._command(OP.DROP_INBOUND)
  },

  // The connection is gone; what the core knew of it is kept here.
  _onGone(code, reason, counters) {
    if (this._gone) return
    this._lastCounters = counters
    this._gone = true
    this._applyClose(code, reason)
    if (this._rawSocket) this._rawSocket.emit('close', code, Buffer.from(reason))
  },

  /** An error of the session's, or one of the WebSocket's. */
  _onError(error) {
    const { _rawSocket } = this
    const ofWebSocket = typeof error.code === 'string' && error.code.startsWith('WS_ERR_')
    if (ofWebSocket && _rawSocket && _rawSocket.listenerCount('error')) {
      _rawSocket.emit('error', error)
    }
    this.emitError(error)
  },

  _onMessage(message) {
    if (this._inboundMessageStream) this._inboundMessageStream.write(message)
    this.emit('message', { message })
    if (this._rawSocket) {
      const binary = typeof message !== 'string'
      this._rawSocket.emit('message', binary ? message : Buffer.from(message), binary)
    }
  },

  _onResponse(rid, error, data) {
    const call = this._forgetCall(rid)
    if (!call) return
    const reason = error === undefined ? null : hydrateError(JSON.parse(error))
    if (reason) call.reject(reason)
    else call.resolve(this.server._decodeData(data))
  },

  // ---- channels ----

  _onSubscribed(channel, optionsJson, replaced, dataJson) {
    const subscriptionOptions = subscriptionOptionsOf(JSON.parse(optionsJson))
    if (replaced) subscriptionOptions.data = this.server._decodeData(dataJson)
    this.emit('subscribe', { channel, subscriptionOptions })
    this.server.emit('subscription', { socket: this, channel, subscriptionOptions })
  },

  _onUnsubscribed(channel) {
    this.emit('unsubscribe', { channel })
    this.server.emit('unsubscription', { socket: this, channel })
  },

  /** The app takes the client off a channel. */
  async _leaveChannel(channel) {
    const { brokerEngine } = this.server
    try {
      await brokerEngine.unsubscribeSocket(this, channel)
    } catch (error) {
      this.emitError(unsubscribeError(channel, error))
      return
    }
    // A broker of the app's own does not tell the core.
    this._link.unsubscribeSocket(this._native, String(channel))
    this._onUnsubscribed(channel)
  },

  /** The session ended while it was subscribed to a channel. */
  async _leftChannel(channel) {
    try {
      await this.server.brokerEngine.unsubscribeSocket(this, channel)
    } catch (error) {
      this.emitError(unsubscribeError(channel, error))
      return
    }
    this._onUnsubscribed(channel)
  },
}

// As SocketCluster copies them: a key `__proto__` is no option.
function subscriptionOptionsOf(data) {
  const options = {}
  for (const key of Object.keys(data)) {
    if (key !== 'channel' && key !== '__proto__') options[key] = data[key]
  }
  return options
}

function closeError(code, reason) {
  const detail = typeof reason === 'string' ? ` and reason: ${reason}` : ''
  const text = socketProtocolErrorStatuses[code]
  return new SocketProtocolError(
    text || `Socket connection closed with status code ${code}${detail}`,
    code,
  )
}

function unsubscribeError(channel, error) {
  return new BrokerError(`Failed to unsubscribe socket from the ${channel} channel - ${error}`)
}

module.exports = session
