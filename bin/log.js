'use strict'

// The commands on logs. Each returns the exit code: 0 if the log is fine, 1 if it is damaged.

const { verifyLog, inspectLog, repairLog } = require('../lib/core/native.js')

/**
 * @typedef {import('../native/binding.cjs').NativeSurvey} Survey
 * @typedef {import('../native/binding.cjs').NativeRecord} LogRecord
 * @typedef {import('../native/binding.cjs').NativeLoss} Loss
 * @typedef {import('../native/binding.cjs').NativeLostRecords} LostRecords
 * @typedef {(text: string) => unknown} Write
 */

const usage = `Usage: es-networkcluster log <command> DIRECTORY [--json]

  inspect   shows every record
  verify    reads everything and says what is damaged
  repair    drops what cannot be read; the files it changes are kept beside the log as *.damaged

The server must not be running. Exit codes: 0 no damage (for repair: none is left), 1 damage,
2 anything else.
`

/** Terminals act on control characters; those below 32 are escaped in JSON text anyway. */
function plain(/** @type {string} */ text) {
  return text.replaceAll(/[\u007f-\u009f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)
}

const count = (/** @type {number} */ number, /** @type {string} */ noun) =>
  `${number} ${noun}${number === 1 ? '' : noun === 'batch' ? 'es' : 's'}`

/** `5 to 7`, `5` or `5 and any after it`. */
function range(/** @type {number} */ first, /** @type {number | undefined} */ last) {
  if (last === undefined) return `${first} and any after it`
  return first === last ? `${first}` : `${first} to ${last}`
}

function lossLine(/** @type {Loss} */ loss) {
  const batches =
    loss.firstBatch === undefined ? '' : `, batch ${range(loss.firstBatch, loss.lastBatch)}`
  return `${loss.file} at byte ${loss.offset}, ${count(loss.bytes, 'byte')}${batches}: ${loss.what}`
}

function lossLines(
  /** @type {string} */ title,
  /** @type {Loss[]} */ losses,
  /** @type {LostRecords[]} */ lost,
) {
  const lines = losses.map((loss) => `${title}: ${lossLine(loss)}`)
  for (const { shard, first, last } of lost) {
    lines.push(`lost: shard ${shard}, record ${range(first, last)}`)
  }
  return lines
}

function surveyLines(/** @type {string} */ directory, /** @type {Survey} */ survey) {
  const { segments, batches, records, bytes, unfinishedBytes, dropped, damage, lost } = survey
  const lines = [
    `${count(segments, 'file')}, ${count(batches, 'batch')}, ${count(records, 'record')}, ` +
      `${count(bytes, 'byte')} of records`,
  ]
  if (!survey.closed) lines.push('The log was not closed, so its last batch cannot be vouched for.')
  if (unfinishedBytes > 0) {
    lines.push(`${count(unfinishedBytes, 'byte')} of a batch that a crash has left unfinished.`)
  }
  lines.push(...lossLines('gap', dropped, []), ...lossLines('damage', damage, lost))
  lines.push(
    damage.length === 0
      ? 'No damage.'
      : `Damaged. npx es-networkcluster log repair ${directory} keeps a copy and drops what cannot be read.`,
  )
  return lines
}

function recordLine(/** @type {LogRecord} */ record) {
  const { file, offset, batch, shard, sequence, kind, time, channel, position, key } = record
  const at = time > 0 && time <= 8.64e15 ? new Date(time).toISOString() : '-'
  const name = channel === '' ? '' : ` "${plain(channel)}" ${position}`
  const keyed = key === '' ? '' : ` key "${plain(key)}"`
  return `${file}:${offset} batch ${batch} shard ${shard} record ${sequence} ${at} ${kind}${name}${keyed} ${count(record.bytes, 'byte')}`
}

function report(
  /** @type {string} */ directory,
  /** @type {Survey} */ survey,
  /** @type {boolean} */ json,
  /** @type {Write} */ write,
) {
  write(json ? `${JSON.stringify(survey)}\n` : `${surveyLines(directory, survey).join('\n')}\n`)
  return survey.damage.length === 0 ? 0 : 1
}

/** @type {Record<string, (directory: string, json: boolean, write: Write) => number>} */
const log = {
  /** With --json a line per record, and the survey as the last one. */
  inspect(directory, json, write) {
    const line = json ? JSON.stringify : recordLine
    const survey = inspectLog(directory, (record) => write(`${line(record)}\n`))
    return report(directory, survey, json, write)
  },

  verify(directory, json, write) {
    return report(directory, verifyLog(directory), json, write)
  },

  repair(directory, json, write) {
    const repair = repairLog(directory)
    if (json) {
      write(`${JSON.stringify(repair)}\n`)
      return 0
    }
    const lines = lossLines('dropped', repair.dropped, repair.lost)
    for (const channel of repair.channels) {
      lines.push(`channel "${plain(channel)}" begins anew behind what is lost`)
    }
    for (const copy of repair.copies) lines.push(`kept ${copy}`)
    if (lines.length === 0) lines.push('No damage; nothing was changed.')
    write(`${lines.join('\n')}\n`)
    return 0
  },
}

module.exports = { log, usage }
