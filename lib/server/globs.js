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
  return endsAgree(a, b) && common(a, b)
}

// What most pairs of patterns already differ in.
function endsAgree(a, b) {
  const [startA, startB] = [a.split('*', 1)[0], b.split('*', 1)[0]]
  const [endA, endB] = [a.slice(a.lastIndexOf('*') + 1), b.slice(b.lastIndexOf('*') + 1)]
  return (
    (startA.startsWith(startB) || startB.startsWith(startA)) &&
    (endA.endsWith(endB) || endB.endsWith(endA))
  )
}

/**
 * Whether some text matches both, found from their ends: `row[j]` says so of what is left of `a` from
 * the place being looked at, and of `b` from `j`.
 */
function common(a, b) {
  let row = []
  for (let i = a.length; i >= 0; i--) {
    const below = row
    row = []
    for (let j = b.length; j >= 0; j--) {
      if (i === a.length && j === b.length) row[j] = true
      else if (a[i] === '*' && b[j] === '*') row[j] = below[j] || row[j + 1]
      else if (a[i] === '*') row[j] = below[j] || (j < b.length && row[j + 1])
      else if (b[j] === '*') row[j] = row[j + 1] || (i < a.length && below[j])
      else row[j] = i < a.length && a[i] === b[j] && below[j + 1]
    }
  }
  return row[0]
}

module.exports = { matcher, overlap }
