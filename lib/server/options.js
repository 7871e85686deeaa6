'use strict'

// The server's options: defaults and checks, once.

const { invalidOptions: invalid } = require('../core/errors')
const limits = require('./limits')
const streamOptions = require('./stream-options')

/** npm `ws`' limit on a message. */
const DEFAULT_MAX_PAYLOAD = 100 * 1024 * 1024

/**
 * What applies where an option is not given.
 * @returns {Record<string, any>}
 */
function defaults() {
  return {
    wsEngine: 'ws',
    wsEngineServerOptions: {},
    maxPayload: null,
    allowClientPublish: true,
    ackTimeout: 10000,
    handshakeTimeout: 10000,
    strictHandshake: true,
    pingTimeout: 30000,
    pingTimeoutDisabled: false,
    pingInterval: 8000,
    origins: '*:*',
    path: '/socketcluster/',
    protocolVersion: 2,
    authDefaultExpiry: 86400,
    batchOnHandshake: false,
    batchOnHandshakeDuration: 400,
    batchInterval: 50,
    middlewareEmitFailures: true,
    socketStreamCleanupMode: 'kill',
    cloneData: false,
    transport: 'auto',
    metricsPath: undefined,
    ...limits.DEFAULTS,
    maxBatchLength: 0,
    maxDepth: 10000,
    messageRate: null,
    streams: undefined,
    storage: undefined,
    streamMemory: undefined,
  }
}

const TRANSPORTS = ['auto', 'fd', 'bridge']

/** Throws InvalidOptionsError for what cannot be served. */
function check(options) {
  checkWsEngine(options.wsEngine)
  checkKeys(options)
  if (!TRANSPORTS.includes(options.transport)) {
    throw invalid(`The transport option must be one of: ${TRANSPORTS.join(', ')}`)
  }
  const { metricsPath } = options
  if (metricsPath != null && !(typeof metricsPath === 'string' && metricsPath.startsWith('/'))) {
    throw invalid("The metricsPath option must be a path that begins with '/'")
  }
  const complaint = limits.complaint(options)
  if (complaint) throw invalid(complaint)
  checkCount('maxBatchLength', options.maxBatchLength, 'packets')
  checkCount('maxDepth', options.maxDepth, 'levels')
  if (options.messageRate != null) checkMessageRate(options.messageRate)
  streamOptions.check(options)
  checkHttpServer(options)
}

function checkCount(name, value, what) {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw invalid(`The ${name} option must be a whole number of ${what}, or 0 for no limit`)
  }
}

const RATE_POLICIES = ['delay', 'close']

function checkMessageRate({ perSecond, burst, policy }) {
  if (!isPositive(perSecond)) {
    throw invalid('The perSecond of the messageRate option must be a number above 0')
  }
  if (burst !== undefined && !(isPositive(burst) && burst >= 1)) {
    throw invalid('The burst of the messageRate option must be a number of at least 1')
  }
  if (policy !== undefined && !RATE_POLICIES.includes(policy)) {
    throw invalid(
      `The policy of the messageRate option must be one of: ${RATE_POLICIES.join(', ')}`,
    )
  }
}

const isPositive = (value) => Number.isFinite(value) && value > 0

// The engine is always the built-in one; a name is not loaded unless it is another one than `ws`.
function checkWsEngine(wsEngine) {
  if (wsEngine === 'ws') return
  const engine = typeof wsEngine === 'string' ? require(wsEngine) : wsEngine
  if (!engine || !engine.Server) {
    throw invalid(
      'The wsEngine option must be a path or module name which points ' +
        'to a valid WebSocket engine module with a compatible interface',
    )
  }
}

function checkKeys({ authPrivateKey, authPublicKey }) {
  if (authPrivateKey == null && authPublicKey != null) {
    throw invalid('The authPrivateKey option must be specified if authPublicKey is specified')
  }
  if (authPrivateKey != null && authPublicKey == null) {
    throw invalid('The authPublicKey option must be specified if authPrivateKey is specified')
  }
}

// Upgrade requests come from an http.Server; the engine opens no port of its own.
function checkHttpServer({ httpServer, wsEngineServerOptions }) {
  const { noServer } = wsEngineServerOptions || {}
  if (!httpServer && !noServer) {
    throw invalid('The httpServer option must be specified; listen() and attach() do so')
  }
}

/** The WebSocket settings: those of `wsEngineServerOptions` win over the server's own. */
function webSocketOptions(options) {
  const engine = options.wsEngineServerOptions || {}
  const pick = (name) => (engine[name] != null ? engine[name] : options[name])
  const maxPayload = pick('maxPayload')
  return {
    path: engine.path != null ? engine.path : options.path,
    maxPayload: maxPayload == null ? DEFAULT_MAX_PAYLOAD : maxPayload,
    deflate: deflateOptions(pick('perMessageDeflate')),
    handleProtocols: pick('handleProtocols'),
  }
}

/** The limits on what a client sends, as the core takes them. */
function inboundLimits({ maxBatchLength, maxDepth, messageRate }) {
  const { perSecond = 0, burst = Math.max(1, perSecond), policy = 'delay' } = messageRate || {}
  return {
    maxBatchLength,
    maxDepth,
    messageRate: perSecond,
    messageBurst: burst,
    messageRateCloses: policy === 'close',
  }
}

function deflateOptions(perMessageDeflate) {
  if (!perMessageDeflate) return undefined
  const given = perMessageDeflate === true ? {} : perMessageDeflate
  return {
    serverNoContextTakeover: flag(given.serverNoContextTakeover),
    clientNoContextTakeover: flag(given.clientNoContextTakeover),
    serverMaxWindowBits: windowBits(given.serverMaxWindowBits),
    clientMaxWindowBits: windowBits(given.clientMaxWindowBits),
    threshold: given.threshold,
    level: given.zlibDeflateOptions && given.zlibDeflateOptions.level,
  }
}

function flag(value) {
  return value == null ? undefined : !!value
}

// 0 stands for "not accepted".
function windowBits(value) {
  if (value === false) return 0
  return typeof value === 'number' ? value : undefined
}

module.exports = { defaults, check, inboundLimits, webSocketOptions }
