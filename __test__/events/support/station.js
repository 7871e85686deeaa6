'use strict'

// One who listens and emits as it is told.

/**
 * @param {import('../../../types/shared-event-emitter').SharedEventEmitterClass} emitter
 */
function station(emitter) {
  /** @type {unknown[][]} */
  const heard = []
  const acts = {
    ready: async () => void (await emitter.ready),
    /** @param {string} event */
    on: (event) => listen(event, (...args) => heard.push(args)),
    /** Keeps only the first argument of each. @param {string} event */
    onNumbers: (event) => listen(event, (first) => heard.push([first])),
    turn,
    /** Resolves once so many have been heard. @param {number} count */
    heard: async (count) => {
      while (heard.length < count) await turn()
      return heard.splice(0)
    },
    /** Resolves once one with this first argument has been heard. @param {unknown} first */
    heardUntil: async (first) => {
      while (!heard.some((args) => args[0] === first)) await turn()
      return heard.splice(0)
    },
    /**
     * @param {string} event
     * @param {number} count
     * @param {unknown} mark
     */
    emit: (event, count, mark) => {
      for (let i = 0; i < count; i++) emitter.emit(event, mark, i)
    },
    /**
     * @param {string} event
     * @param {...unknown} args
     */
    emitAsync: (event, ...args) => emitter.emitAsync(event, ...args),
    /** Emits until it fails. @param {string} event */
    emitOn: async (event) => {
      for (;;) await emitter.emitAsync(event)
    },
    /** Emits numbers, one a turn, until `quiet`. @param {string} event */
    stream: (event) => {
      streaming = setInterval(() => emitter.emit(event, ++last), 1)
    },
    quiet: () => {
      clearInterval(streaming)
      return last
    },
    stats: () => emitter.stats(),
    /** @param {string} event */
    throwing: (event) =>
      void emitter.on(event, () => {
        throw new Error('a listener failed')
      }),
    /** Does no longer keep its thread alive, after such an event. @param {string} event */
    unrefOn: (event) => listen(event, () => emitter.unref()),
    /** @param {string} event */
    closeOn: (event) => listen(event, () => emitter.close()),
    off: () => emitter.close(),
  }
  /**
   * Resolves once everybody's events come here: when who serves the address has answered.
   * @param {string} event
   * @param {(...args: any[]) => void} listener
   */
  async function listen(event, listener) {
    emitter.on(event, listener)
    await emitter.stats()
  }
  let last = 0
  /** @type {NodeJS.Timeout | undefined} */
  let streaming
  return new Map(Object.entries(/** @type {Record<string, (...args: any[]) => unknown>} */ (acts)))
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve))
}

module.exports = station
