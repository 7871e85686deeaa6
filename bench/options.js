'use strict'

/**
 * Reads a command line into `settings`; throws what is wrong with it.
 *
 * @template {object} Settings
 * @param {string[]} given
 * @param {Settings} settings what applies without options
 * @param {Map<string, string>} flags options without a value, and the setting each switches on
 * @param {Map<string, [string, (value: string) => any]>} options how each option's value is read
 *   (`undefined` for one that cannot be), and as what it is kept
 * @returns {Settings}
 */
function readOptions(given, settings, flags, options) {
  const rest = [...given]
  while (rest.length > 0) {
    const name = rest.shift()
    if (flags.has(name)) {
      settings[flags.get(name)] = true
      continue
    }
    const option = options.get(name)
    if (!option) throw new Error(`unknown option ${name}`)
    const value = option[1](rest.shift() ?? '')
    if (value === undefined) throw new Error(`${name} needs another value`)
    settings[option[0]] = value
  }
  return settings
}

/**
 * Reads a list of names, separated by commas, each of them once; throws if there is an unknown one.
 *
 * @param {string} value
 * @param {object} known has a property of each name
 */
function names(value, known) {
  const list = value.split(',')
  const unknown = list.find((name) => !Object.hasOwn(known, name))
  if (unknown !== undefined)
    throw new Error(`${unknown || 'nothing'} is none of ${Object.keys(known)}`)
  return [...new Set(list)]
}

module.exports = { names, readOptions }
