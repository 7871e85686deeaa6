'use strict'

const { readFileSync } = require('node:fs')
const path = require('node:path')

const KEY = 'the key of both sides, 0123456789abcdef'
const common = { authKey: KEY, pingInterval: 60000, pingTimeout: 120000, ackTimeout: 400 }
const pem = (name) => readFileSync(path.join(__dirname, 'keys', `${name}.pem`), 'utf8')

const denied = (action, name = 'DeniedError') =>
  Object.assign(new Error(`no ${action.type}`), { name })

const verdicts = {
  deny: (action) => action.block(denied(action)),
  silent: (action) => action.block(Object.assign(denied(action), { silent: true })),
  mute: (action) => action.block(),
  text: (action) => action.block('only text'),
  change: (action) =>
    action.allow({ data: { changed: action.data === undefined ? 0 : action.data } }),
}

/** Decides by the start of the name: 'deny-x' is denied, 'x' is allowed. */
function decide(action) {
  const name = String(action.channel || action.procedure || action.receiver || '')
  const verdict = verdicts[name.split('-')[0]]
  if (verdict) verdict(action)
  else action.allow()
}

function middleware(server) {
  for (const type of [server.MIDDLEWARE_INBOUND, server.MIDDLEWARE_OUTBOUND]) {
    server.setMiddleware(type, async (stream) => {
      for await (const action of stream) {
        const out = action.type === action.PUBLISH_OUT
        const outDenied = out && String(action.channel).startsWith('outdeny')
        if (outDenied) action.block(denied(action))
        else if (out) action.allow()
        else decide(action)
      }
    })
  }
  server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
    for await (const action of stream) {
      const { url } = action.request
      const wanted = action.type === action.HANDSHAKE_SC ? /\?sc=(\w+)/ : /\?ws=(\w+)/
      const [, how] = wanted.exec(url) || []
      if (how === 'code') action.block(Object.assign(denied(action), { statusCode: 4501 }))
      else if (how) verdicts[how](action)
      else action.allow()
    }
  })
}

const profiles = {
  default: { options: common },
  limit: { options: { ...common, socketChannelLimit: 2 } },
  closed: { options: { ...common, allowClientPublish: false } },
  lax: { options: { ...common, strictHandshake: false } },
  one: { options: { ...common, protocolVersion: 1 } },
  small: { options: { ...common, maxPayload: 1024 } },
  origin: { options: { ...common, origins: 'good.example:*' } },
  pair: {
    options: {
      ...common,
      authKey: undefined,
      authPrivateKey: pem('private'),
      authPublicKey: pem('public'),
      authAlgorithm: 'RS256',
    },
  },
  middleware: { options: common, middleware },
}

module.exports = { KEY, pem, profiles }
