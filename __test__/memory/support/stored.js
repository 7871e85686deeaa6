'use strict'

// Memories in directories, and a process that writes to one until it is killed.

const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const readline = require('node:readline')

const WRITER = path.join(__dirname, 'writer.js')

/**
 * A directory that does not outlive the test.
 * @param {import('node:test').TestContext} t
 */
function temporary(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'es-networkcluster-memory-'))
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Why there is no small disk, or false. */
function noSmallDisk() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'mounting takes root on Linux'
  return spawnSync('mount', ['--version']).status === 0 ? false : 'there is no mount'
}

/**
 * A directory that is a file system of its own, or null if that cannot be.
 * @param {import('node:test').TestContext} t
 * @param {string} size
 */
function smallDisk(t, size) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'es-networkcluster-memory-'))
  t.after(() => {
    spawnSync('umount', ['--lazy', directory])
    fs.rmSync(directory, { recursive: true, force: true })
  })
  const line = ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory]
  const { status, stderr } = spawnSync('mount', line, { encoding: 'utf8' })
  if (status !== 0) {
    t.skip(`mount: ${stderr.trim()}`)
    return null
  }
  return directory
}

/**
 * Has a process write to the memory in a directory, and kills it after so many acknowledged writes.
 * @returns {Promise<string[][]>} what was acknowledged: see writer.js
 */
async function writeUntilKilled(directory, acknowledged) {
  const child = spawn(process.execPath, [WRITER, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const acks = []
  for await (const line of readline.createInterface({ input: child.stdout })) {
    acks.push(line.split(' '))
    if (acks.length === acknowledged) child.kill('SIGKILL')
  }
  const [code, signal] = await exited
  if (signal !== 'SIGKILL') throw new Error(`the writer ended with ${code ?? signal}`)
  // What it could not write whole was not said.
  return acks.filter((it) => it.at(-1) === '.')
}

/** Bytes of the files in a directory. */
function bytesOf(directory) {
  const sizes = fs.readdirSync(directory).map((name) => {
    const { blocks } = fs.statSync(path.join(directory, name))
    return blocks * 512
  })
  return sizes.reduce((a, b) => a + b, 0)
}

module.exports = { temporary, noSmallDisk, smallDisk, writeUntilKilled, bytesOf }
