'use strict'

// The client, for Node.js and for browsers: nothing here or below loads the native core.
module.exports = require('./lib/client')
