'use strict'

const fs = require('node:fs')
const path = require('node:path')

const folder = path.join(__dirname, 'peers')

/**
 * @typedef {object} Peer
 * @property {string} title
 * @property {string} script in bench/peers
 * @property {'socketcluster' | 'socketio' | 'plain'} protocol
 * @property {boolean} [ours]
 * @property {Record<string, string>} [env]
 * @property {string} [package] whose version is told
 * @property {boolean} [bun] run by Bun instead of Node.js
 * @property {string[]} [scenarios] the ones it takes part in by default, if not all
 */

/** @type {Record<string, Peer>} */
const peers = {
  ours: {
    title: 'es-networkcluster, 1 I/O thread',
    script: 'ours.js',
    protocol: 'socketcluster',
    ours: true,
    env: { IO_THREADS: '1' },
  },
  'ours-2': {
    title: 'es-networkcluster, 2 I/O threads',
    script: 'ours.js',
    protocol: 'socketcluster',
    ours: true,
    env: { IO_THREADS: '2' },
  },
  'ours-listen': {
    title: 'es-networkcluster, listen()',
    script: 'ours.js',
    protocol: 'socketcluster',
    ours: true,
    env: { LISTEN: '1', IO_THREADS: '1' },
    scenarios: ['idle'],
  },
  socketcluster: {
    title: 'socketcluster-server',
    script: 'socketcluster.js',
    protocol: 'socketcluster',
    package: 'socketcluster-server',
  },
  ws: { title: 'ws', script: 'ws.js', protocol: 'plain', package: 'ws' },
  socketio: {
    title: 'socket.io',
    script: 'socketio.js',
    protocol: 'socketio',
    package: 'socket.io',
  },
  bun: { title: 'Bun', script: 'bun.js', protocol: 'plain', package: bunPackage(), bun: true },
}

/** The npm package with Bun's executable for this machine. */
function bunPackage() {
  const arch = process.arch === 'arm64' ? 'aarch64' : process.arch
  return `@oven/bun-${process.platform}-${arch}`
}

/** The peers of a scenario among those asked for; `null` asks for all that take part by default. */
function peersOf(scenario, wanted) {
  if (wanted) return wanted
  return Object.keys(peers).filter((name) => peers[name].scenarios?.includes(scenario) ?? true)
}

/** What to execute for a peer, and its arguments. */
function command(peer) {
  const script = path.join(folder, peer.script)
  if (!peer.bun) return [process.execPath, script]
  const executable = path.join(__dirname, 'node_modules', peer.package, 'bin/bun')
  if (!fs.existsSync(executable)) throw new Error(`${peer.package} is not installed: see --peers`)
  return [executable, script]
}

/** A peer as the tables name it. */
function titleOf(peer) {
  const file = peer.package
    ? path.join(__dirname, 'node_modules', peer.package, 'package.json')
    : path.join(__dirname, '../package.json')
  const { version } = JSON.parse(fs.readFileSync(file, 'utf8'))
  return peer.package ? `${peer.title} ${version}` : peer.title
}

module.exports = { peers, peersOf, command, titleOf }
