'use strict'

// What is under way keeps the process alive, what merely is open does not: native callbacks never
// hold the event loop, so one timer does while anything is pending in this thread.

/** Longer than this cannot be asked of a timer. */
const LONG = 2 ** 30

/** @type {NodeJS.Timeout | undefined} */
let timer
let holders = 0

/** Keeps this thread's event loop running until `release`. */
function hold() {
  holders += 1
  if (holders !== 1) return
  timer ??= setInterval(() => {}, LONG)
  timer.ref()
}

/** Takes one `hold` back. */
function release() {
  holders -= 1
  if (holders === 0) timer?.unref()
}

/** A hold that is taken and given back at will. */
class KeepAlive {
  #held = false

  /** @param {boolean} held */
  set(held) {
    if (held === this.#held) return
    this.#held = held
    if (held) hold()
    else release()
  }
}

module.exports = { hold, release, KeepAlive }
