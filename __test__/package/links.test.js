'use strict'

// Every link of the documents that stays within the project leads somewhere.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

const root = path.join(__dirname, '../..')
const FOLDERS = ['docs', 'examples', 'bench', '__test__']

/** All Markdown files below a folder. */
function markdown(/** @type {string} */ folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return []
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) return markdown(file)
    return file.endsWith('.md') ? [file] : []
  })
}

/** Text without what is code. */
function prose(/** @type {string} */ file) {
  const text = fs.readFileSync(file, 'utf8')
  return text.replaceAll(/^```[\s\S]*?^```/gm, '')
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(/** @type {string} */ file) {
  /** @type {Map<string, number>} */
  const seen = new Map()
  const found = new Set()
  for (const [, title] of prose(file).matchAll(/^#{1,6} +(.+)$/gm)) {
    const text = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = text.replaceAll(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-')
    const times = seen.get(anchor) ?? 0
    seen.set(anchor, times + 1)
    found.add(times === 0 ? anchor : `${anchor}-${times}`)
  }
  return found
}

/** Links of a document: targets of `[text](target)` and `![text](target)`. */
function links(/** @type {string} */ file) {
  const all = [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
  return all.filter((target) => !/^[a-z]+:/.test(target))
}

/** Why a link of a document leads nowhere. */
function problem(/** @type {string} */ file, /** @type {string} */ link) {
  const [name, anchor] = link.split('#')
  const target = name === '' ? file : path.resolve(path.dirname(file), decodeURIComponent(name))
  if (!fs.existsSync(target)) return 'no such file'
  if (anchor === undefined || !target.endsWith('.md')) return undefined
  return anchors(target).has(anchor) ? undefined : 'no such heading'
}

const files = [
  ...fs
    .readdirSync(root)
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join(root, name)),
  ...FOLDERS.flatMap((folder) => markdown(path.join(root, folder))),
]

test('every relative link leads somewhere', () => {
  const wrong = files.flatMap((file) =>
    links(file).flatMap((link) => {
      const why = problem(file, link)
      return why === undefined ? [] : [`${path.relative(root, file)}: ${link}: ${why}`]
    }),
  )
  assert.deepEqual(wrong, [])
  assert.ok(files.length > 20)
})

test('every page of the reference and every guide can be found from the README', () => {
  const reached = new Set()
  const queue = [path.join(root, 'README.md')]
  for (const file of queue) {
    if (reached.has(file)) continue
    reached.add(file)
    for (const link of links(file)) {
      const target = path.resolve(path.dirname(file), link.split('#')[0])
      if (target.endsWith('.md') && fs.existsSync(target)) queue.push(target)
    }
  }
  const missing = markdown(path.join(root, 'docs')).filter((file) => !reached.has(file))
  assert.deepEqual(
    missing.map((file) => path.relative(root, file)),
    [],
  )
})
