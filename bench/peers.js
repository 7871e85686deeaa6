'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { scenarios } = require('./scenarios')

const folder = path.join(__dirname, 'peers')

/**
 * @typedef {object} Peer
 * @property {string} title
 * @property {string} script in bench/peers
 * @property {'socketcluster' | 'socketio' | 'plain' | 'nats'} protocol
 * @property {boolean} [ours]
 * @property {Record<string, string>} [env]
 * @property {string} [package] whose version is told
 * @property {boolean} [bun] run by Bun instead of Node.js
 * @property {boolean} [kept] its channels are kept: deliveries say their position
 * @property {string} [executable] what must be installed besides; without it the peer is left out
 * @property {string[]} [scenarios] the ones it takes part in by default, if not all
 */

/** es-networkcluster with channels of a class; the load generator's are called `channel-0000`. */
function withStreams(title, match, scenarios) {
  return {
    title: `es-networkcluster, ${title}`,
    script: 'ours.js',
    protocol: 'socketcluster',
    ours: true,
    kept: match.match === 'channel-*',
    env: { IO_THREADS: '1', STREAMS: JSON.stringify([match]) },
    scenarios,
  }
}

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
  'ours-streams': withStreams('other channels kept', { match: 'other-*', class: 'history' }, [
    'history-fanout',
  ]),
  'ours-history': withStreams('history', { match: 'channel-*', class: 'history' }, [
    'history-fanout',
    'replay',
  ]),
  'ours-durable': withStreams('durable', { match: 'channel-*', class: 'durable' }, [
    'history-fanout',
    'durable-publish',
    'replay',
  ]),
  nats: {
    title: 'NATS JetStream',
    script: 'nats.js',
    protocol: 'nats',
    executable: process.env.NATS_SERVER || 'nats-server',
    scenarios: ['durable-publish'],
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

/**
 * The peers of a scenario among those asked for; `null` asks for all that take part by default and
 * are installed.
 */
function peersOf(scenario, wanted) {
  if (wanted) return wanted
  const named = scenarios[scenario].peers
  const takesPart = (name) => peers[name].scenarios?.includes(scenario) ?? true
  const all = Object.keys(peers).filter((name) => named?.includes(name) ?? takesPart(name))
  return all.filter((name) => !missing(name))
}

/** What a peer needs and is not installed; `null` if there is nothing. */
function missing(name) {
  const { executable } = peers[name]
  if (!executable) return null
  return versionOf(executable) === null ? executable : null
}

/** What an executable says of its version; `null` if there is none. */
function versionOf(executable) {
  const { status, stdout } = spawnSync(executable, ['--version'], { encoding: 'utf8' })
  return status === 0 ? (/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? '') : null
}

/** What to execute for a peer, and its arguments. */
function command(peer) {
  const script = path.join(folder, peer.script)
  if (peer.executable && versionOf(peer.executable) === null)
    throw new Error(`${peer.executable} is not installed`)
  if (!peer.bun) return [process.execPath, script]
  const executable = path.join(__dirname, 'node_modules', peer.package, 'bin/bun')
  if (!fs.existsSync(executable)) throw new Error(`${peer.package} is not installed: see --peers`)
  return [executable, script]
}

/** A peer as the tables name it. */
function titleOf(peer) {
  if (peer.executable) return `${peer.title}, server ${versionOf(peer.executable)}`
  const file = peer.package
    ? path.join(__dirname, 'node_modules', peer.package, 'package.json')
    : path.join(__dirname, '../package.json')
  const { version } = JSON.parse(fs.readFileSync(file, 'utf8'))
  return peer.package ? `${peer.title} ${version}` : peer.title
}

module.exports = { peers, peersOf, missing, command, titleOf }
