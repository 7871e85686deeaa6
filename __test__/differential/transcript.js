'use strict'

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const JWT = /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/

/** A JSON text with sorted keys and with its numbers as they were written. */
function canonical(text, ids) {
  const marked = text.replace(TOKEN, (token) => (token[0] === '"' ? token : `"#${token}"`))
  try {
    return JSON.stringify(sorted(JSON.parse(marked), ids))
  } catch {
    return plain(text, ids)
  }
}

function sorted(value, ids) {
  if (typeof value === 'string') return JWT.test(value) ? '<token>' : plain(value, ids)
  if (Array.isArray(value)) return value.map((each) => sorted(each, ids))
  if (!value || typeof value !== 'object') return value
  const keys = Object.keys(value).sort()
  return keys.map((key) => [key, sorted(value[key], ids)])
}

/** A text without what differs from one run to the next. */
function plain(text, ids) {
  const known = ids.reduce((each, id) => each.split(id).join('<id>'), text)
  return known.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<date>').slice(0, 5000)
}

/** What one client and its server saw of each other, ready to be compared. */
function transcriptOf(clients, log) {
  const ids = clients.map(({ id }) => id).filter(Boolean)
  return {
    clients: clients.map((client) => ({
      status: client.status,
      texts: client.texts.map((text) => canonical(text, ids)),
      binaries: client.binaries.map((bytes) => bytes.toString('hex')),
      pongs: client.pongs,
      closed: client.closed,
      ended: client.ended,
    })),
    log: log.map((entry) => canonical(JSON.stringify(entry), ids)),
  }
}

module.exports = { transcriptOf }
