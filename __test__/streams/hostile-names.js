'use strict'

// Names a client may choose which mean something to a plain object.
exports.HOSTILE_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
  '__lookupSetter__',
  'isPrototypeOf',
  'write',
  'then',
  'length',
  '',
  '/',
  '0',
  'null',
]
