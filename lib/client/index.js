'use strict'

// The client, for Node.js and for browsers: nothing here loads the native core.

const original = require('socketcluster-client')
const { AGClientSocket } = require('./socket')

const { version } = original

const factory = {
  create(options) {
    // The original's factory checks and completes the options; it cannot make another class.
    const { clientId, port, hostname, secure } = original.factory.create({
      ...options,
      autoConnect: false,
    }).options
    return new AGClientSocket({ clientId, port, hostname, secure, ...options })
  },
}

function create(options) {
  return factory.create({ ...options, version })
}

module.exports = { factory, AGClientSocket, create, version }
