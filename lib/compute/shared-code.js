'use strict'

// What threads of this process compiled of long functions, for its other threads. V8 trusts it as it
// trusts its own: what comes from another process has no way in here.

const native = require('../core/native')

/** @type {import('../functions').CodeCache} */
const sharedCode = {
  get: native.compiledCode,
  claim: native.claimCompiledCode,
  set: native.keepCompiledCode,
}

module.exports = { sharedCode }
