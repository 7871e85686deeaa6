'use strict'

// Preloaded into the app: tells the parent process on which port its first server listens.
const { Server } = require('node:net')

const { listen } = Server.prototype
Server.prototype.listen = function (...args) {
  this.once('listening', () => process.send && process.send({ port: this.address().port }))
  return listen.apply(this, args)
}
