'use strict'

// The module under test. SUBJECT names another one with the same API, to check the tests themselves.
module.exports = require(process.env.SUBJECT || '../..')
