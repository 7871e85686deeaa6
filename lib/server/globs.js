'use strict'

// Patterns of channel names: `*` stands for any characters, also none; everything else for itself.

/**
 * @param {string} pattern
 * @returns {(name: string) => boolean} takes time in proportion to the name, whatever the pattern
 */
function matcher(pattern) {
  const [prefix, ...rest] = pattern.split('*')
  const suffix = rest.pop()
  if (suffix === undefined) return (name) => name === pattern
  return (name) => {
    const end = name.length - suffix.length
    if (end < prefix.length || !name.startsWith(prefix) || !name.endsWith(suffix)) return false
    let at = prefix.length
    for (const part of rest) {
      // The leftmost place is as good as any: more is left for the parts that follow.
      const found = name.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return at <= end
  }
}

/** Whether there is a name that both patterns match. */
function overlap(a, b) {
  if (!a.includes('*')) return matcher(b)(a)
  if (!b.includes('*')) return matcher(a)(b)
  return endsAgree(a, b)
}

// What is between the ends of one can stand behind what is between the ends of the other.
function endsAgree(a, b) {
  const [startA, startB] = [a.split('*', 1)[0], b.split('*', 1)[0]]
  const [endA, endB] = [a.slice(a.lastIndexOf('*') + 1), b.slice(b.lastIndexOf('*') + 1)]
  return (
    (startA.startsWith(startB) || startB.startsWith(startA)) &&
    (endA.endsWith(endB) || endB.endsWith(endA))
  )
}

module.exports = { matcher, overlap }
