'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')

/** The CPUs in a list such as `0,2-3`. */
function expand(list) {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/** The CPUs this process may use. */
function allowed() {
  try {
    const status = fs.readFileSync('/proc/self/status', 'utf8')
    return expand(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)[1])
  } catch {
    return Array.from({ length: os.availableParallelism() }, (_, index) => index)
  }
}

function canPin() {
  return spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0
}

/** Where the servers and the load generator run: a half of the CPUs each, unless told otherwise. */
function place({ serversCpus, clientsCpus }) {
  const all = allowed()
  const half = Math.max(1, Math.floor(all.length / 2))
  const second = all.slice(half)
  return {
    pinned: canPin(),
    servers: serversCpus ?? all.slice(0, half).join(','),
    clients: clientsCpus ?? (second.length > 0 ? second : all).join(','),
  }
}

/** A command on certain CPUs, where that is possible. */
function pinned(place, cpus, [executable, ...args]) {
  return place.pinned
    ? { executable: 'taskset', args: ['-c', cpus, executable, ...args] }
    : { executable, args }
}

module.exports = { expand, place, pinned }
