'use strict'

// Attacks a server from a process of its own: PORT, ATTACK, PART of PARTS. It prepares, tells that
// it is ready, and begins when told to; then it tells what it got and how long that took. It keeps
// its connections until it is told to go.

const { attacks } = require('./attacks')

const { ATTACK, PORT, PART, PARTS } = process.env

async function main() {
  const where = { port: Number(PORT), part: Number(PART), parts: Number(PARTS) }
  const attack = await attacks[ATTACK].prepare(where)
  process.send({ ready: true })
  await new Promise((resolve) => process.once('message', resolve))
  const start = performance.now()
  const outcome = await attack()
  process.send({ outcome, seconds: (performance.now() - start) / 1000 })
}

process.on('disconnect', () => process.exit())
main().catch((error) => {
  console.error(error)
  process.exit(1)
})
