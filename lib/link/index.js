'use strict'

// Links between processes of one machine: what memories, emitters and managers build on.

const { Client } = require('./client.js')
const frames = require('./frames.js')
const hosts = require('./hosts.js')
const url = require('./url.js')
const keepAlive = require('../core/keep-alive.js')

module.exports = { Client, frames, hosts, url, keepAlive }
