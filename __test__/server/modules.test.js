'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const AGRequest = require('ag-request')
const { oursTest, subject } = require('../support')

const name = process.env.SUBJECT || 'es-networkcluster'

test('the module has the five names of the original', () => {
  for (const each of ['AGServer', 'AGServerSocket', 'AGRequest', 'listen', 'attach']) {
    assert.equal(typeof subject[each], 'function', each)
  }
  assert.equal(subject.AGRequest, AGRequest)
})

test('action, server and serversocket can be required by path', () => {
  const AGAction = require(`${name}/action`)
  assert.equal(AGAction.PUBLISH_IN, 'publishIn')
  assert.equal(new AGAction().PUBLISH_OUT, 'publishOut')
  assert.equal(require(`${name}/action.js`), AGAction)
  assert.equal(require(`${name}/server`), subject.AGServer)
  assert.equal(require(`${name}/serversocket`), subject.AGServerSocket)
})

oursTest('import and require give the same classes', async () => {
  const imported = await import(name)
  for (const each of Object.keys(subject)) assert.equal(imported[each], subject[each], each)
  assert.equal(imported.default, subject)
  const action = await import(`${name}/action`)
  assert.equal(action.default, require(`${name}/action`))
})
