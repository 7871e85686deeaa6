import AGAction = require('es-networkcluster/action')
import { AGServer } from 'es-networkcluster'
import type { InboundAction, MiddlewareStream } from 'es-networkcluster'

function inbound(server: AGServer) {
  server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
    for await (const action of stream) decide(action)
  })
}

function decide(action: InboundAction) {
  const { type, allow, block } = action
  if (action.type === AGAction.TRANSMIT) {
    const receiver: string = action.receiver
    void receiver
    // @ts-expect-error
    void action.procedure
  } else if (action.type === action.INVOKE) {
    const procedure: string = action.procedure
    void procedure
  } else if (action.type === 'authenticate') {
    void action.signedAuthToken
    // @ts-expect-error
    void action.channel
  } else {
    const channel: string = action.channel
    const expired: Error | undefined = action.authTokenExpiredError
    void [channel, expired]
  }
  // @ts-expect-error
  if (action.type === 'handshakeWS') return
  if (type === 'publishIn') allow({ data: 1 })
  else if (action.outcome === null) block(new Error('no'))
  action.allow()
  action.block({ silent: true })
}

function others(server: AGServer) {
  server.setMiddleware('handshake', async (stream) => {
    for await (const action of stream) {
      void action.request.headers
      if (action.type === AGAction.HANDSHAKE_SC) void action.socket.id
      // @ts-expect-error
      else void action.socket
    }
  })
  server.setMiddleware(AGServer.MIDDLEWARE_OUTBOUND, async (stream) => {
    for await (const { channel, allow } of stream) {
      void channel.length
      allow({ options: { useCache: true } })
    }
  })
  server.setMiddleware(
    server.MIDDLEWARE_INBOUND_RAW,
    (stream: MiddlewareStream<any, any>) => stream,
  )
  // @ts-expect-error
  server.setMiddleware('inbounds', () => {})
  server.removeMiddleware('inbound')
}

const bare = new AGAction()
bare.type = AGAction.MESSAGE

void [inbound, others]
