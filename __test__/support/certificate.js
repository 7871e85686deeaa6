'use strict'

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

let made

/** A self-signed certificate for 127.0.0.1, made once for each test process. */
function certificate() {
  if (made) return made
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'es-networkcluster-tls-'))
  try {
    const key = path.join(folder, 'key.pem')
    const cert = path.join(folder, 'cert.pem')
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    const rest = ['-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject]
    execFileSync('openssl', [...request, ...rest], { stdio: 'ignore' })
    made = { key: fs.readFileSync(key, 'utf8'), cert: fs.readFileSync(cert, 'utf8') }
  } catch (error) {
    throw new Error('These tests need the openssl command', { cause: error })
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
  return made
}

module.exports = { certificate }
