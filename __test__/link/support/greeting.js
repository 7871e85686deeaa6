'use strict'

// The beginning of a connection as docs/design/link.md tells it, by hand.

const { createHmac, randomBytes } = require('node:crypto')
const { once } = require('node:events')
const { KINDS, Writer, frame, split } = require('../../../lib/link/frames')

/** What a side proves itself with. `side`: client or server. */
function proofOf(token, side, { role = 'data', name = '', client, server }) {
  return createHmac('sha256', token)
    .update(`es-networkcluster.v1 ${side} ${role}\0`)
    .update(client)
    .update(server)
    .update(name)
    .digest()
}

/** A HELLO with a random number, or without. */
function helloFrame(json = {}, client = Buffer.alloc(0)) {
  return frame(KINDS.HELLO, 1, new Writer().str(JSON.stringify(json)).bytes(client).finish())
}

const proofFrame = (proof, id = 2) => frame(KINDS.PROOF, id, proof)

/** What a machine answers to a HELLO with a random number. */
async function challengeOf(socket, client, json = {}) {
  const answered = once(socket, 'message')
  socket.send(helloFrame(json, client))
  const { kind, id, body } = split((await answered)[0])
  return { kind, id, status: body[0], server: body.subarray(1, 33), proof: body.subarray(33) }
}

/** Says who one is, on an open socket, and with a token proves it. Gives the last answer's body. */
async function greet(socket, { token, role, name, json } = {}) {
  const last = async (bytes) => {
    const answered = once(socket, 'message')
    socket.send(bytes)
    return split((await answered)[0]).body
  }
  if (token === undefined) return last(helloFrame(json))
  const client = randomBytes(32)
  const { server } = await challengeOf(socket, client, json)
  return last(proofFrame(proofOf(token, 'client', { role, name, client, server })))
}

module.exports = { proofOf, helloFrame, proofFrame, challengeOf, greet }
