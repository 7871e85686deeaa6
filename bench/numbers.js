'use strict'

/** A number with three digits that count: `3.02M`, `54.1k`, `0.332`, `17`. */
function short(value) {
  if (!Number.isFinite(value)) return '-'
  if (value >= 999_500) return `${digits(value / 1e6)}M`
  if (value >= 9_995) return `${digits(value / 1e3)}k`
  if (value >= 1000) return Math.round(value).toString()
  return digits(value)
}

function digits(value) {
  const decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 3
  return Math.max(0, value).toFixed(decimals)
}

module.exports = { short }
