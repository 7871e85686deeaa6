'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const scErrors = require('sc-errors')
const errors = require('../../lib/core/errors')

test('the classes are those of sc-errors', () => {
  for (const name of Object.keys(scErrors)) assert.equal(errors[name], scErrors[name])
})

test('a coded error has its class, message and code, and the trace of its caller', () => {
  const error = errors.codedError(errors.InvalidOptionsError, 'bad option', 'ERR_OPTION')
  assert.ok(error instanceof errors.InvalidOptionsError)
  assert.equal(error.name, 'InvalidOptionsError')
  assert.equal(error.message, 'bad option')
  assert.equal(error.code, 'ERR_OPTION')
  assert.match(error.stack.split('\n')[1], /errors\.test\.js/)
  assert.equal(errors.codedError(Error, 'plain', 'ERR_PLAIN').code, 'ERR_PLAIN')
})

test('the code does not travel', () => {
  const error = errors.codedError(errors.InvalidActionError, 'no', 'ERR_NO')
  assert.equal('code' in errors.dehydrateError(error), false)
})

test('a class whose code is a close code keeps it', () => {
  assert.equal(errors.codedError(errors.BadConnectionError, 'gone', 'ERR_GONE').code, 1001)
})
