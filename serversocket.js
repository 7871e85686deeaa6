'use strict'

module.exports = require('./lib/socket/socket')
