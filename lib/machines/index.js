'use strict'

// The machines. Each file is read when its machine is first asked for.

const Manager = require('./manager')

/** @type {Manager | undefined} */
let ready

module.exports = {
  Manager,
  get Worker() {
    return require('./worker').Worker
  },
  get Data() {
    return require('./data').Data
  },
  get EventEmitter() {
    return require('./events').EventEmitter
  },
  get Proxy() {
    return require('./proxy').Proxy
  },
  get Adaptable() {
    return require('./adaptable').Adaptable
  },
  /** The manager that work is given to that names none: made when it is first read, one per thread. */
  get ScalabilityManager() {
    ready ??= new Manager()
    return ready
  },
}
