'use strict'

// nats-server with JetStream: one stream in files, below STORAGE.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { ready } = require('./ready')

const directory = process.env.STORAGE
const executable = process.env.NATS_SERVER || 'nats-server'

const STREAM = {
  name: 'bench',
  subjects: ['channel-0000'],
  storage: 'file',
  retention: 'limits',
  discard: 'old',
  num_replicas: 1,
  max_msgs: -1,
  max_bytes: -1,
}

/** The port that the server has chosen, as its file of ports says. */
async function portOf(pid) {
  const file = path.join(directory, `${path.basename(executable)}_${pid}.ports`)
  for (;;) {
    try {
      return Number(new URL(JSON.parse(fs.readFileSync(file, 'utf8')).nats[0]).port)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** Asks the server for the stream; throws what it answers otherwise. */
async function createStream(port) {
  const socket = net.connect(port, '127.0.0.1')
  const request = JSON.stringify(STREAM)
  socket.write('CONNECT {"verbose":false}\r\nSUB _INBOX.create 1\r\n')
  socket.write(`PUB $JS.API.STREAM.CREATE.bench _INBOX.create ${request.length}\r\n${request}\r\n`)
  let answer = ''
  while (!/^MSG .*\r\n.*\r\n/m.test(answer)) answer += (await once(socket, 'data'))[0]
  socket.destroy()
  if (/"error"/.test(answer)) throw new Error(answer)
}

async function main() {
  const line = ['-js', '-sd', directory, '-a', '127.0.0.1', '-p', '-1']
  const server = spawn(executable, [...line, '--ports_file_dir', directory], { stdio: 'ignore' })
  process.on('exit', () => server.kill('SIGKILL'))
  process.on('SIGTERM', () => process.exit())
  server.on('error', (error) => {
    throw error
  })
  server.on('exit', () => process.exit(1))
  await once(server, 'spawn')
  const port = await portOf(server.pid)
  await createStream(port)
  ready(port)
}

main()
