'use strict'

// A redis-server of its own for a measurement: a Unix socket, nothing kept.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const net = require('node:net')
const path = require('node:path')

/**
 * @param {string} executable
 * @param {string} directory for its socket
 * @returns {Promise<{ socket: string, stop: () => Promise<void> }>}
 */
async function startRedis(executable, directory) {
  const socket = path.join(directory, 'redis.sock')
  const options = { port: 0, unixsocket: socket, save: '', appendonly: 'no', dir: directory }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const server = spawn(executable, args, { stdio: 'ignore' })
  const ended = once(server, 'exit')
  await once(server, 'spawn')
  const stop = async () => {
    server.kill('SIGTERM')
    await ended
  }
  while (!(await answers(socket))) {
    if (server.exitCode !== null) throw new Error(`${executable} has ended`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return { socket, stop }
}

function answers(socket) {
  return new Promise((resolve) => {
    const connection = net.connect(socket, () => resolve(true))
    connection.on('connect', () => connection.destroy())
    connection.on('error', () => resolve(false))
  })
}

module.exports = { startRedis }
