'use strict'

// Values of every type that can be copied, from a seed.

/** mulberry32: the same numbers for the same seed. */
function randomOf(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const NUMBERS = [0, -0, 1, -1, 0.1, NaN, Infinity, -Infinity, 2 ** 53, 5e-324, 1e308]
const STRINGS = [
  '',
  'a',
  'é',
  '漢字',
  '😀',
  '\ud800',
  '\udc00x',
  '\0',
  '"\\\n\u2028',
  'x'.repeat(300),
  '__proto__',
  'toJSON',
]
const KEYS = [
  'a',
  'b',
  'é',
  '漢',
  '__proto__',
  'constructor',
  'toString',
  '0',
  '-1',
  '',
  'a b',
  'length',
]
const VIEWS = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]
const ERRORS = [Error, TypeError, RangeError, SyntaxError, EvalError, ReferenceError, URIError]

class Instance {
  constructor() {
    this.own = 1
  }
  get inherited() {
    return 2
  }
}

function valuesOf(random) {
  const below = (n) => Math.floor(random() * n)
  const pick = (list) => list[below(list.length)]
  /** Objects made so far, for references that are shared or go in circles. */
  const made = []
  const note = (object) => {
    made.push(object)
    return object
  }

  const leaves = [
    () => pick(NUMBERS),
    () => below(1e6) - 5e5,
    () => random(),
    () => pick(STRINGS),
    () => random() < 0.5,
    () => null,
    () => undefined,
    () => BigInt(below(1e9)) ** 3n,
    () => new Date(below(2 ** 31) * 1000),
    () => new RegExp(pick(['a', '^b$', '[/]']), pick(['', 'g', 'gi'])),
    () => new ArrayBuffer(below(9)),
    () => Buffer.from(pick(STRINGS)),
    () => view(),
    () => new DataView(Uint8Array.from({ length: 4 }, () => below(256)).buffer),
    () => Object(pick([1, 'x', true, 3n])),
    () => new Instance(),
    () => new (pick(ERRORS))(pick(STRINGS)),
    () => (made.length > 0 ? pick(made) : null),
  ]

  function view() {
    const View = pick(VIEWS)
    const all = new View(1 + below(6))
    for (let i = 0; i < all.length; i++)
      all[i] = View.name.startsWith('Big') ? BigInt(below(100)) : below(1000)
    return random() < 0.3 ? all.subarray(below(all.length)) : all
  }

  function plainObject(depth, value) {
    const object = note(random() < 0.1 ? Object.create(null) : {})
    for (let n = below(5); n > 0; n--) {
      Object.defineProperty(object, pick(KEYS), {
        value: value(depth - 1),
        enumerable: random() < 0.95,
        writable: true,
        configurable: true,
      })
    }
    if (random() < 0.05) object[Symbol('ignored')] = 1
    return object
  }

  function array(depth, value) {
    const items = note([])
    for (let n = below(5); n > 0; n--) items.push(value(depth - 1))
    if (random() < 0.05) items.length += 2
    if (random() < 0.05) items.extra = value(depth - 1)
    return items
  }

  function map(depth) {
    const map = note(new Map())
    for (let n = below(4); n > 0; n--) map.set(any(depth - 1), any(depth - 1))
    return map
  }

  function set(depth) {
    const set = note(new Set())
    for (let n = below(4); n > 0; n--) set.add(any(depth - 1))
    return set
  }

  function any(depth) {
    if (depth <= 0 || random() < 0.3) return pick(leaves)()
    const kind = random()
    if (kind < 0.4) return plainObject(depth, any)
    if (kind < 0.8) return array(depth, any)
    return kind < 0.9 ? map(depth) : set(depth)
  }

  /** Only what JSON keeps. */
  function plain(depth) {
    if (depth <= 0 || random() < 0.4)
      return pick([() => below(1e6), () => pick(STRINGS), () => null, () => random() < 0.5])()
    return random() < 0.5 ? plainObject(depth, plain) : array(depth, plain)
  }

  return { any, plain, view }
}

module.exports = { randomOf, valuesOf }
