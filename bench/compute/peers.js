'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

/**
 * @typedef {object} Peer
 * @property {string} title
 * @property {string} module in bench/compute/pools, stores or buses
 * @property {string[]} scenarios
 * @property {boolean} [ours]
 * @property {Record<string, any>} [options] what its module is given
 * @property {Record<string, number>} [share] of a scenario's items that it gets: time is scaled to all
 * @property {string} [package] whose version is told
 * @property {string} [executable] what must be installed besides; without it the peer is left out
 */

const REDIS = process.env.REDIS_SERVER || 'redis-server'

const pool = (name, title, scenarios, options = {}, share = {}) => ({
  title: `${name} {version}, ${title}`,
  module: name,
  package: name,
  scenarios,
  options,
  share,
})

const EACH = { each: true }
const chunks = (name) => pool(name, 'chunks of 1000', ['map', 'scope'])
const each = (name, scenarios, share) => pool(name, 'a task per item', scenarios, EACH, share)

const ours = (title, module, scenarios, options = {}) => ({
  title: title ? `es-networkcluster, ${title}` : 'es-networkcluster',
  module,
  scenarios,
  options,
  ours: true,
})

const MEMORY = ['memory', 'memory-4']

const redis = (title, scenarios, options = {}) => ({
  title: `ioredis {version}${title}`,
  module: 'redis',
  package: 'ioredis',
  scenarios,
  options,
  executable: REDIS,
})

/** @type {Record<string, Peer>} */
const peers = {
  ours: ours('', 'ours', ['map', 'burn', 'scope', 'events']),
  // An option that only workers can follow.
  'ours-workers': ours('in workers', 'ours', ['map'], { map: { concurrency: 4 } }),
  'ours-sync': ours('getSync, no near cache', 'ours', MEMORY, { near: false, sync: true }),
  'ours-async': ours('await get, no near cache', 'ours', MEMORY, { near: false }),
  'ours-near': ours('getSync, near cache', 'ours', MEMORY, { near: true, sync: true }),
  'ours-near-async': ours('await get, near cache', 'ours', MEMORY, { near: true }),
  single: {
    title: 'one thread, no library',
    module: 'single',
    scenarios: ['map', 'burn'],
    share: { burn: 0.2 },
  },
  raw: { title: 'worker_threads, a part each', module: 'raw', scenarios: ['burn'] },
  piscina: each('piscina', ['map', 'burn', 'scope']),
  'piscina-chunks': chunks('piscina'),
  tinypool: each('tinypool', ['map', 'burn'], { map: 0.2 }),
  'tinypool-chunks': chunks('tinypool'),
  workerpool: each('workerpool', ['map', 'burn'], { map: 0.2 }),
  'workerpool-chunks': chunks('workerpool'),
  poolifier: each('poolifier', ['map', 'burn']),
  'poolifier-chunks': chunks('poolifier'),
  lmdb: { title: 'lmdb {version}, putSync', module: 'lmdb', package: 'lmdb', scenarios: MEMORY },
  'lmdb-async': {
    title: 'lmdb {version}, 100 puts under way',
    module: 'lmdb',
    package: 'lmdb',
    scenarios: MEMORY,
    options: { flight: 100 },
  },
  sharedmap: {
    title: 'sharedmap {version}',
    module: 'sharedmap',
    package: 'sharedmap',
    scenarios: MEMORY,
  },
  redis: redis(', one under way', MEMORY),
  'redis-100': redis(', 100 under way', MEMORY, { flight: 100 }),
  broadcast: { title: 'BroadcastChannel', module: 'broadcast', scenarios: ['events'] },
  ports: { title: 'postMessage to each', module: 'ports', scenarios: ['events'] },
  'redis-pubsub': redis(', PUBLISH', ['events']),
}

/** The peers of a scenario among those asked for; `null` asks for all that are installed. */
function peersOf(scenario, wanted) {
  const names = Object.keys(peers).filter((name) => peers[name].scenarios.includes(scenario))
  if (wanted) return names.filter((name) => wanted.includes(name))
  return names.filter((name) => !missing(name))
}

/** What a peer needs and is not installed; `null` if there is nothing. */
function missing(name) {
  const { executable } = peers[name]
  return executable && serverVersion(executable) === null ? executable : null
}

/** What redis-server says of its version; `null` if there is none. */
function serverVersion(executable) {
  const { status, stdout } = spawnSync(executable, ['--version'], { encoding: 'utf8' })
  return status === 0 ? (/\bv=(\S+)/.exec(stdout)?.[1] ?? '') : null
}

/** A peer as the tables name it. */
function titleOf({ title, package: name }) {
  if (!name) return title
  const file = path.join(__dirname, '../node_modules', name, 'package.json')
  return title.replace('{version}', JSON.parse(fs.readFileSync(file, 'utf8')).version)
}

module.exports = { peers, peersOf, missing, serverVersion, titleOf, REDIS }
