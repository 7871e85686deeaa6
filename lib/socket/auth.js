'use strict'

// Tokens of a socket.

const cloneDeep = require('clone-deep')
const formatter = require('sc-formatter')
const scErrors = require('sc-errors')
const { OP } = require('../core/commands')
const hydrate = require('../core/hydrate')
const AGAction = require('../server/action')

const { AuthError, InvalidActionError, InvalidArgumentsError } = scErrors

/** SocketCluster's error for one of npm jsonwebtoken's. */
function tokenError(error) {
  const make = {
    TokenExpiredError: () => new scErrors.AuthTokenExpiredError(error.message, error.expiredAt),
    JsonWebTokenError: () => new scErrors.AuthTokenInvalidError(error.message),
    NotBeforeError: () => new scErrors.AuthTokenNotBeforeError(error.message, error.date),
  }
  const known = Object.hasOwn(make, error.name)
  const authError = known ? make[error.name]() : new scErrors.AuthTokenError(error.message)
  // A token that is not active yet is a good one.
  authError.isBadToken = error.name !== 'NotBeforeError'
  return authError
}

const auth = {
  get authToken() {
    return this._authToken
  },

  /** The app's own assignment; the core looks after the expiry. */
  set authToken(token) {
    this._authToken = token
    this._tellToken()
  },

  /** What is known of the authentication under way; the core repeats it in every event. */
  _authentication({ flow, signed, accepted, payload, error, badToken, byMiddleware }) {
    if (this._auth && this._auth.flow === flow) return this._auth
    const signedAuthToken = signed === undefined ? null : JSON.parse(signed)
    const failed = !accepted && !byMiddleware
    const authTokenError = failed && error ? hydrate(error) : null
    if (authTokenError) authTokenError.isBadToken = badToken
    const info = this._beginAuthentication(flow, signedAuthToken)
    info.authTokenError = authTokenError
    if (accepted) {
      info.authToken = this._watchExpiry(JSON.parse(payload))
      info.authState = this.AUTHENTICATED
    }
    return info
  },

  _beginAuthentication(flow, signedAuthToken) {
    this._auth = {
      flow,
      signedAuthToken,
      authTokenError: null,
      authToken: null,
      authState: this.UNAUTHENTICATED,
      applied: false,
      oldAuthState: this.authState,
      error: null,
    }
    return this._auth
  },

  /** Takes the token over, or reports what is wrong with it; once. */
  _applyAuthentication(info) {
    if (info.applied) return
    info.applied = true
    info.oldAuthState = this.authState
    this.authState = info.authState
    this._authToken = info.authToken
    this.signedAuthToken = info.authTokenError ? null : info.signedAuthToken
    if (!info.authTokenError) return
    info.error = info.authTokenError
    if (info.signedAuthToken == null) return
    this.emitError(info.error)
    if (info.error.isBadToken) this._emitBadAuthToken(info.error, info.signedAuthToken)
  },

  _finishAuthentication(info) {
    this._applyAuthentication(info)
    this._auth = undefined
  },

  // ---- questions ----

  async _onVerifyAsk(seq, flow, signed) {
    const { server } = this
    const signedAuthToken = signed === undefined ? null : JSON.parse(signed)
    const info = this._beginAuthentication(flow, signedAuthToken)
    try {
      const options = { ...server.defaultVerificationOptions, socket: this }
      info.authToken = await server.auth.verifyToken(
        signedAuthToken,
        server.verificationKey,
        options,
      )
      info.authState = this.AUTHENTICATED
    } catch (error) {
      info.authTokenError = tokenError(error)
      this._block(seq, info.authTokenError)
      return
    }
    const { authToken } = info
    this._reply(OP.VERIFIED, seq, (command) =>
      command.u32(authToken ? 1 : 0).number(expiryOf(authToken)),
    )
  },

  async _onAuthenticateAsk(seq, report) {
    const info = this._authentication(report)
    this._applyAuthentication(info)
    const action = new AGAction()
    action.socket = this
    action.type = AGAction.AUTHENTICATE
    action.signedAuthToken = this.signedAuthToken
    action.authToken = this.authToken
    try {
      await this.server._processMiddlewareAction(this.middlewareInboundStream, action, this)
    } catch (error) {
      this._authToken = null
      this.authState = this.UNAUTHENTICATED
      if (error.isBadToken) this._emitBadAuthToken(error, info.signedAuthToken)
      info.error = error
      this._block(seq, error)
      return
    }
    this._reply(OP.ALLOW, seq)
  },

  _block(seq, error) {
    const json = formatter.encode(scErrors.dehydrateError(error))
    this._reply(OP.BLOCK, seq, (command) =>
      command.u32(error.isBadToken ? 1 : 0).text(json === undefined ? 'null' : json),
    )
  },

  _onAuthResult(report) {
    const info = this._authentication(report)
    this._finishAuthentication(info)
    if (!info.error) this.triggerAuthenticationEvents(info.oldAuthState)
    else if (info.error.isBadToken) this._applyDeauthentication()
  },

  _emitBadAuthToken(authError, signedAuthToken) {
    this.emit('badAuthToken', { authError, signedAuthToken })
    this.server.emit('badSocketAuthToken', { socket: this, authError, signedAuthToken })
  },

  // ---- public ----

  triggerAuthenticationEvents(oldAuthState) {
    const { server, authToken } = this
    if (oldAuthState !== this.AUTHENTICATED) {
      this._emitAuthState({ oldAuthState, newAuthState: this.authState, authToken })
    }
    this.emit('authenticate', { authToken })
    server.emit('authentication', { socket: this, authToken })
  },

  _emitAuthState(change) {
    this.emit('authStateChange', change)
    this.server.emit('authenticationStateChange', { socket: this, ...change })
  },

  getAuthToken() {
    return this.authToken
  },

  isAuthTokenExpired(token) {
    return !!token && token.exp != null && Date.now() > token.exp * 1000
  },

  /**
   * Signs a token and gives it to the client.
   * @param {object} data
   * @param {object} [options] npm jsonwebtoken's, and `rejectOnFailedDelivery`
   */
  async setAuthToken(data, options) {
    if (this.state === this.CONNECTING) {
      const error = new InvalidActionError(
        'Cannot call setAuthToken before completing the handshake',
      )
      this.emitError(error)
      throw error
    }
    const authToken = cloneDeep(data)
    const oldAuthState = this.authState
    this.authState = this.AUTHENTICATED
    const { rejectOnFailedDelivery, ...signOptions } = this._signOptions(authToken, options)
    this._authToken = authToken
    // A client that is given a token and an answer in one turn has both when it reads the answer.
    this._link.collectTurn()
    let signedAuthToken
    try {
      const { auth, signatureKey } = this.server
      signedAuthToken = await auth.signToken(authToken, signatureKey, signOptions)
    } catch (error) {
      this._signingFailed(error)
      throw error
    }
    if (this.authToken === authToken) {
      this._watchExpiry(authToken)
      this._writeToken()
      this.signedAuthToken = signedAuthToken
      this.emit('authTokenSigned', { signedAuthToken })
    }
    this.triggerAuthenticationEvents(oldAuthState)
    const tokenData = { token: signedAuthToken }
    if (!rejectOnFailedDelivery) {
      this.transmit('#setAuthToken', tokenData)
      return
    }
    try {
      await this.invoke('#setAuthToken', tokenData)
    } catch (cause) {
      throw this._deliveryFailed(cause)
    }
  },

  _signOptions(authToken, given) {
    const options = { ...given, mutatePayload: true }
    const { defaultSignatureOptions } = this.server
    if (given && given.algorithm != null) {
      delete options.algorithm
      this.emitError(
        new InvalidArgumentsError(
          'Cannot change auth token algorithm at runtime - It must be specified as a config option on launch',
        ),
      )
    }
    // A token with a claim of its own must not be given another.
    if (authToken && authToken.exp != null) delete options.expiresIn
    else if (options.expiresIn == null) options.expiresIn = defaultSignatureOptions.expiresIn
    if (defaultSignatureOptions.algorithm != null) {
      options.algorithm = defaultSignatureOptions.algorithm
    }
    return options
  },

  _signingFailed(error) {
    this.emitError(error)
    if (this.state !== this.CLOSED) this._close(4002, error.toString(), 4002)
  },

  _deliveryFailed(cause) {
    const known = cause && typeof cause.message === 'string'
    const error = new AuthError(
      known
        ? `Failed to deliver auth token to client - ${cause.message}`
        : 'Failed to confirm delivery of auth token to client due to malformatted error response',
    )
    this.emitError(error)
    return error
  },

  /** Has the core hear of it when the app changes the `exp` of a token. */
  _watchExpiry(token) {
    if (!token || typeof token !== 'object' || !Object.hasOwn(token, 'exp')) return token
    let { exp } = token
    Object.defineProperty(token, 'exp', {
      get: () => exp,
      set: (value) => {
        exp = value
        if (this.authToken === token) this._tellToken()
      },
      enumerable: true,
      configurable: true,
    })
    return token
  },

  /** Tells the core what the socket's token is. */
  _tellToken() {
    if (this._gone) return
    this._writeToken()
    this._link.flushUnlessDispatching()
  },

  /** The same, together with what follows. */
  _writeToken() {
    if (this._gone) return
    const { authToken } = this
    this._command(OP.SET_TOKEN)
      .u32(authToken ? 1 : 0)
      .number(expiryOf(authToken))
  },

  deauthenticateSelf() {
    this._applyDeauthentication()
    this._tellToken()
  },

  /** The socket has no token any more: state and events. */
  _applyDeauthentication() {
    const { authState: oldAuthState, authToken: oldAuthToken } = this
    this.signedAuthToken = null
    this._authToken = null
    this.authState = this.UNAUTHENTICATED
    if (oldAuthState !== this.UNAUTHENTICATED) {
      this._emitAuthState({ oldAuthState, newAuthState: this.authState })
    }
    this.emit('deauthenticate', { oldAuthToken })
    this.server.emit('deauthentication', { socket: this, oldAuthToken })
  },

  /**
   * Takes the client's token away.
   * @param {{ rejectOnFailedDelivery?: boolean }} [options]
   */
  async deauthenticate(options) {
    this.deauthenticateSelf()
    this._link.collectTurn()
    if (!options || !options.rejectOnFailedDelivery) {
      this._transmit('#removeAuthToken')
      return
    }
    try {
      await this.invoke('#removeAuthToken')
    } catch (error) {
      this.emitError(error)
      throw error
    }
  },
}

/** The `exp` claim as the core takes it. */
function expiryOf(token) {
  const exp = token && token.exp
  return exp == null || Number.isNaN(Number(exp)) ? undefined : Number(exp)
}

module.exports = auth
