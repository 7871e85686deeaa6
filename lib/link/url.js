'use strict'

// Addresses of memories, emitters and machines: loopback only.

const { NetworkClusterError } = require('../core/network-cluster-error.js')

/**
 * @typedef {object} Address
 * @property {'127.0.0.1' | '::1'} host what is bound and connected to
 * @property {number} port 1–65535, or 0 where a port is to be chosen
 * @property {string} name of the memory or emitter, decoded; '' unless told
 * @property {string} key `host:port`, one per listener
 */

const LOOPBACK_V4 = /^127\.\d+\.\d+\.\d+$/

/**
 * @param {string | URL} url `http:` or `ws:` with a loopback host; the path is the name
 * @param {{ anyPort?: boolean }} [options] `anyPort`: port 0 is allowed, for those who listen
 * @returns {Address}
 * @throws {NetworkClusterError} ERR_NC_INVALID_URL
 */
function parse(url, { anyPort = false } = {}) {
  const parsed = read(url)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'ws:') {
    throw invalid(url, `the protocol must be http: or ws:, not ${parsed.protocol}`)
  }
  if (parsed.username || parsed.password) throw invalid(parsed.host, 'it must not contain a user')
  if (parsed.search || parsed.hash) throw invalid(url, 'it must not contain a query or a fragment')
  const host = loopback(parsed.hostname)
  if (host === undefined) throw invalid(url, 'only loopback addresses are supported')
  // URL drops the port that is its protocol's own.
  const port = parsed.port === '' ? 80 : Number(parsed.port)
  if (port === 0 && !anyPort) throw invalid(url, 'the port must be from 1 to 65535')
  return { host, port, name: nameOf(url, parsed.pathname), key: keyOf(host, port) }
}

/**
 * @param {string} host
 * @param {number} port
 */
function keyOf(host, port) {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * @param {unknown} url
 * @returns {URL}
 */
function read(url) {
  if (url instanceof URL) return url
  if (typeof url !== 'string') throw invalid(url, 'it must be a string or a URL')
  try {
    return new URL(url)
  } catch (cause) {
    throw new NetworkClusterError('ERR_NC_INVALID_URL', `invalid URL ${show(url)}`, { cause })
  }
}

/**
 * @param {string} hostname as URL normalises it
 * @returns {'127.0.0.1' | '::1' | undefined}
 */
function loopback(hostname) {
  if (hostname === 'localhost' || LOOPBACK_V4.test(hostname)) return '127.0.0.1'
  return hostname === '[::1]' ? '::1' : undefined
}

/**
 * @param {unknown} url
 * @param {string} pathname
 */
function nameOf(url, pathname) {
  try {
    const name = decodeURIComponent(pathname.slice(1))
    if (name.length <= 1024) return name
  } catch {
    throw invalid(url, 'its path is not percent-encoded UTF-8')
  }
  throw invalid(url, 'its path is longer than 1024 characters')
}

/**
 * @param {unknown} url
 * @param {string} reason
 */
function invalid(url, reason) {
  return new NetworkClusterError('ERR_NC_INVALID_URL', `invalid URL ${show(url)}: ${reason}`)
}

/** @param {unknown} url */
function show(url) {
  const full = typeof url === 'string' ? url : url instanceof URL ? url.href : typeof url
  // A user's password or a token in the wrong place is not for logs.
  const text = full.replace(/^([^/?#]*\/\/)?[^/?#]*@/, '$1').replace(/[?#].*/s, '')
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}

module.exports = { parse, keyOf }
