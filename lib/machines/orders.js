'use strict'

// What a manager and the machines that are connected to it say to each other, besides work.
//
// To a machine: `{ type: 'assign', order, role, options }`; `{ type: 'dismissed' }` to a worker that is
// leaving. From it: `{ type: 'assigned', order, role, error?: { code, message } }`, `{ type: 'role', role }`,
// and of workers `{ type: 'leaving' }`.

const { NetworkClusterError } = require('../core/network-cluster-error')
const { ROLES, invalid, shown } = require('./options')

/** How long an Adaptable may take to change its role, in ms: it drains the old one first. */
const ORDER_TIMEOUT = 60_000

/**
 * @typedef {object} Visitor a machine that is connected
 * @property {string} id
 * @property {boolean} isAdaptable
 * @property {string} role
 * @property {string[]} roles
 * @property {(json: string) => void} tell
 */

/**
 * @typedef {object} Order
 * @property {number} connection
 * @property {() => void} resolve
 * @property {(error: Error) => void} reject
 * @property {NodeJS.Timeout} timer
 */

class Orders {
  #events
  /** @type {Map<number, Visitor>} by connection */
  #visitors = new Map()
  /** @type {Map<number, Order>} */
  #orders = new Map()
  #last = 0

  /**
   * @param {{ adaptable: (info: import('./reception').AdaptableInfo) => void,
   *   role: (info: import('./reception').AdaptableInfo) => void, leaving: (worker: string) => void }} events
   */
  constructor(events) {
    this.#events = events
  }

  /**
   * @param {Record<string, any>} hello
   * @param {(json: string) => void} tell
   * @param {number} connection
   */
  came({ worker }, tell, connection) {
    if (typeof worker?.id !== 'string' || worker.id.length > 256) return
    const roles = Array.isArray(worker.roles)
      ? worker.roles.filter((role) => ROLES.includes(role))
      : []
    const isAdaptable = worker.kind === 'adaptable' && roles.length > 0
    const role = ROLES.includes(worker.role) ? worker.role : 'adaptable'
    const visitor = { id: worker.id, isAdaptable, role, roles, tell }
    this.#visitors.set(connection, visitor)
    if (isAdaptable) this.#events.adaptable(infoOf(visitor))
  }

  /** @param {number} connection */
  left(connection) {
    const visitor = this.#visitors.get(connection)
    this.#visitors.delete(connection)
    for (const [id, order] of this.#orders) {
      if (order.connection !== connection) continue
      const message = `the Adaptable ${visitor?.id} was lost before it changed its role`
      this.#settle(id, new NetworkClusterError('ERR_NC_CONNECT', message))
    }
  }

  /**
   * @param {number} connection
   * @param {Record<string, any>} letter
   */
  said(connection, letter) {
    const visitor = this.#visitors.get(connection)
    if (!visitor) return
    if (letter.type === 'leaving') this.#events.leaving(visitor.id)
    else if (visitor.isAdaptable) this.#adaptableSaid(visitor, connection, letter)
  }

  /**
   * @param {Visitor} visitor
   * @param {number} connection
   * @param {Record<string, any>} letter
   */
  #adaptableSaid(visitor, connection, { type, role, order, error }) {
    if (ROLES.includes(role) && role !== visitor.role) {
      visitor.role = role
      this.#events.role(infoOf(visitor))
    }
    if (type !== 'assigned' || this.#orders.get(order)?.connection !== connection) return
    this.#settle(order, error ? errorFrom(error) : undefined)
  }

  /** @returns {import('./reception').AdaptableInfo[]} */
  machines() {
    return [...this.#visitors.values()].filter(({ isAdaptable }) => isAdaptable).map(infoOf)
  }

  /**
   * @param {string} id
   * @param {string} role
   * @param {object} [options]
   * @returns {Promise<void>}
   */
  assign(id, role, options) {
    if (!ROLES.includes(role)) {
      throw invalid(`assign(): the role must be one of ${ROLES.join(', ')}, not ${shown(role)}`)
    }
    for (const [connection, visitor] of this.#visitors) {
      if (visitor.id !== id || !visitor.isAdaptable) continue
      if (role !== 'adaptable' && !visitor.roles.includes(role)) {
        throw invalid(
          `assign(): that Adaptable can become ${visitor.roles.join(', ')}, not ${role}`,
        )
      }
      return this.#order(connection, visitor, { role, options })
    }
    throw invalid(`assign(): no Adaptable with the id ${shown(id)} is connected`)
  }

  /**
   * @param {number} connection
   * @param {Visitor} visitor
   * @param {object} what
   * @returns {Promise<void>}
   */
  #order(connection, visitor, what) {
    const order = ++this.#last
    return new Promise((resolve, reject) => {
      const late = () => {
        const message = `the Adaptable ${visitor.id} did not change its role within ${ORDER_TIMEOUT} ms`
        this.#settle(order, new NetworkClusterError('ERR_NC_CONNECT', message))
      }
      const timer = setTimeout(late, ORDER_TIMEOUT)
      this.#orders.set(order, { connection, resolve, reject, timer })
      visitor.tell(JSON.stringify({ type: 'assign', order, ...what }))
    })
  }

  /** @param {string} worker */
  dismiss(worker) {
    for (const visitor of this.#visitors.values()) {
      if (visitor.id === worker) visitor.tell(JSON.stringify({ type: 'dismissed' }))
    }
  }

  close() {
    for (const id of [...this.#orders.keys()]) {
      this.#settle(id, new NetworkClusterError('ERR_NC_CLOSED', 'the manager was closed'))
    }
    this.#visitors.clear()
  }

  /**
   * @param {number} id
   * @param {Error} [error]
   */
  #settle(id, error) {
    const order = this.#orders.get(id)
    if (!order) return
    this.#orders.delete(id)
    clearTimeout(order.timer)
    if (error) order.reject(error)
    else order.resolve()
  }
}

/** @param {Visitor} visitor */
const infoOf = ({ id, role, roles }) => ({ id, role, roles: [...roles] })

/** @param {any} error from another process */
function errorFrom({ code, message }) {
  const known =
    typeof code === 'string' && /^ERR_NC_[A-Z_]{1,40}$/.test(code) ? code : 'ERR_NC_CONNECT'
  return new NetworkClusterError(/** @type {any} */ (known), String(message).slice(0, 1000))
}

module.exports = Orders
