'use strict'

// Receivers and procedures of a socket, its other streams, and backpressure of all of them.

const Stream = require('../streams/stream')
const StreamDemux = require('../streams/demux')
const interest = require('./interest')

/** The methods of a family of streams: `receiver(name)`, `closeReceiver(name)`, and so on. */
function family(singular, plural, demuxOf) {
  const lower = singular.toLowerCase()
  const made = (socket) => demuxOf(socket, false)
  return {
    [lower](name) {
      return demuxOf(this, true).stream(name)
    },
    [`close${singular}`](name) {
      if (made(this)) made(this).close(name)
    },
    [`closeAll${plural}`]() {
      if (made(this)) made(this).closeAll()
    },
    [`kill${singular}`](name) {
      if (made(this)) made(this).kill(name)
    },
    [`killAll${plural}`]() {
      if (made(this)) made(this).killAll()
    },
    [`kill${singular}Consumer`](consumerId) {
      if (made(this)) made(this).killConsumer(consumerId)
    },
    [`get${singular}ConsumerStats`](consumerId) {
      return made(this) ? made(this).getConsumerStats(consumerId) : undefined
    },
    [`get${singular}ConsumerStatsList`](name) {
      return made(this) ? made(this).getConsumerStatsList(name) : []
    },
    [`getAll${plural}ConsumerStatsList`]() {
      return made(this) ? made(this).getConsumerStatsListAll() : []
    },
    [`get${singular}Backpressure`](name) {
      return made(this) ? made(this).getBackpressure(name) : 0
    },
    [`getAll${plural}Backpressure`]() {
      return made(this) ? made(this).getBackpressureAll() : 0
    },
    [`get${singular}ConsumerBackpressure`](consumerId) {
      return made(this) ? made(this).getConsumerBackpressure(consumerId) : 0
    },
    [`has${singular}Consumer`](name, consumerId) {
      return made(this) ? made(this).hasConsumer(name, consumerId) : false
    },
    [`hasAny${singular}Consumer`](consumerId) {
      return made(this) ? made(this).hasConsumerAll(consumerId) : false
    },
  }
}

function demux(field, ordinary, protocol) {
  return (socket, make) => {
    if (!socket[field] && make) {
      socket[field] = new StreamDemux({
        onInterest: (name, on) => socket._interest.setName(ordinary, protocol, String(name), on),
      })
    }
    return socket[field]
  }
}

const receivers = demux('_receiverDemux', interest.RECEIVER, interest.PROTOCOL_RECEIVER)
const procedures = demux('_procedureDemux', interest.PROCEDURE, interest.PROTOCOL_PROCEDURE)

const others = {
  /** Every inbound message, as it came. */
  get inboundMessageStream() {
    if (!this._inboundMessageStream) {
      this._inboundMessageStream = new Stream()
      this._interest.set(interest.MESSAGE, true)
    }
    return this._inboundMessageStream
  },

  get inboundReceivedMessageCount() {
    return this._counters()[0]
  },

  get inboundProcessedMessageCount() {
    return this._counters()[1]
  },

  get outboundPreparedMessageCount() {
    return this._outbound.prepared + this._counters()[2]
  },

  get outboundSentMessageCount() {
    return this._outbound.sent + this._counters()[2]
  },

  _counters() {
    if (this._gone) return this._lastCounters
    const { slot, generation } = this._native
    return this._link.ask('counters', slot, generation)
  },

  getBackpressure() {
    return Math.max(
      this.getInboundBackpressure(),
      this.getOutboundBackpressure(),
      this.getAllListenersBackpressure(),
      this.getAllReceiversBackpressure(),
      this.getAllProceduresBackpressure(),
    )
  },

  getInboundBackpressure() {
    const [received, processed] = this._counters()
    return received - processed
  },

  getOutboundBackpressure() {
    return this._outbound.prepared - this._outbound.sent
  },

  closeAllMiddlewares() {
    for (const stream of this._middlewareStreams()) stream.close()
  },

  killAllMiddlewares() {
    for (const stream of this._middlewareStreams()) stream.kill()
  },

  _middlewareStreams() {
    // Those that nobody asked for do not exist.
    return [
      this._handshakeStream(),
      this._middlewareInboundRawStream,
      this._middlewareInboundStream,
      this._middlewareOutboundStream,
    ].filter(Boolean)
  },

  /** The stream of handshake middleware, if anybody can have seen it. */
  _handshakeStream() {
    return typeof this._native.request === 'string' ? undefined : this.middlewareHandshakeStream
  },

  closeInput() {
    if (this._inboundMessageStream) this._inboundMessageStream.close()
  },

  killInput() {
    if (this._inboundMessageStream) this._inboundMessageStream.kill()
    this._dropInbound()
  },

  closeOutput() {
    if (this._outboundPacketStream) this._outboundPacketStream.close()
  },

  killOutput() {
    if (this._outboundPacketStream) this._outboundPacketStream.kill()
  },

  closeIO() {
    this.closeInput()
    this.closeOutput()
  },

  killIO() {
    this.killInput()
    this.killOutput()
  },

  closeAllStreams() {
    this.closeAllMiddlewares()
    this.closeIO()
    this.closeAllReceivers()
    this.closeAllProcedures()
    this.closeAllListeners()
  },

  killAllStreams() {
    this.killAllMiddlewares()
    this.killIO()
    this.killAllReceivers()
    this.killAllProcedures()
    this.killAllListeners()
  },
}

module.exports = Object.defineProperties(
  {},
  {
    ...Object.getOwnPropertyDescriptors(family('Receiver', 'Receivers', receivers)),
    ...Object.getOwnPropertyDescriptors(family('Procedure', 'Procedures', procedures)),
    ...Object.getOwnPropertyDescriptors(others),
  },
)
