'use strict'

// All keys or entries of a memory, a page at a time.

const PARTITIONS = 64

/** @typedef {import('./source.js')} Source */

/**
 * @template T
 * @typedef {import('./wire.js').Page<T>} Page
 */

/**
 * @template T
 * @typedef {(backend: import('./source.js').Backend, partition: number, prefix: string, after: string) =>
 *   Page<T> | Promise<Page<T>>} ReadPage
 */

/**
 * What begins with a prefix: what is there all the time once, what comes or goes meanwhile once or not at
 * all. A page of another process is asked for while the one before it is read.
 * @template T
 * @param {Source} source
 * @param {ReadPage<T>} read
 * @param {string} prefix
 */
async function* iterate(source, read, prefix) {
  let partition = 0
  let after = ''
  const next = async () => {
    const page = await source.run((backend) => read(backend, partition, prefix, after))
    after = page.after
    if (after === '') partition += 1
    return page.items
  }
  let page = next()
  for (;;) {
    const items = await page
    const isLast = partition === PARTITIONS
    const ahead = isLast || source.isClosed || source.backend.local ? undefined : next()
    // Whoever reads on learns why it failed.
    ahead?.catch(() => {})
    yield* items
    if (isLast) return
    page = ahead ?? next()
  }
}

module.exports = { iterate }
