'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { url } = require('../../lib/link')

test('an address is a loopback host, a port and a name', () => {
  const v4 = (port, name) => ({ host: '127.0.0.1', port, name, key: `127.0.0.1:${port}` })
  for (const [text, expected] of [
    ['http://localhost:12345', v4(12345, '')],
    ['http://LOCALHOST:12345/', v4(12345, '')],
    ['ws://127.0.0.1:1/cart', v4(1, 'cart')],
    ['http://127.1.2.3:65535/a%2Fb%20c', v4(65535, 'a/b c')],
    ['http://127.1:99/a/b', v4(99, 'a/b')],
    ['http://localhost/', v4(80, '')],
    ['http://localhost:80/', v4(80, '')],
    ['http://[::1]:7/x', { host: '::1', port: 7, name: 'x', key: '[::1]:7' }],
    ['http://[0:0:0:0:0:0:0:1]:7/', { host: '::1', port: 7, name: '', key: '[::1]:7' }],
    ['http://localhost:1/%E2%82%AC', v4(1, '€')],
    ['http://localhost:1/__proto__', v4(1, '__proto__')],
  ]) {
    assert.deepEqual(url.parse(text), expected, text)
    assert.deepEqual(url.parse(new URL(text)), expected, text)
  }
})

test('anything else is refused, with its reason', () => {
  for (const [bad, reason] of [
    ['', /invalid URL/],
    ['localhost:1234', /protocol/],
    ['/path', /invalid URL/],
    [undefined, /string or a URL/],
    [null, /string or a URL/],
    [1234, /string or a URL/],
    [{ href: 'http://localhost:1' }, /string or a URL/],
    ['https://localhost:1', /protocol/],
    ['wss://localhost:1', /protocol/],
    ['file:///tmp/x', /protocol/],
    ['http://example.com:1', /loopback/],
    ['http://10.0.0.1:1', /loopback/],
    ['http://0.0.0.0:1', /loopback/],
    ['http://[::]:1', /loopback/],
    ['http://[::ffff:127.0.0.1]:1', /loopback/],
    ['http://127.0.0.1.example.com:1', /loopback/],
    ['http://localhost.:1', /loopback/],
    ['http://localhost:0', /port/],
    ['http://localhost:65536', /invalid URL/],
    ['http://localhost:-1', /invalid URL/],
    ['http://user:secret@localhost:1', /user/],
    ['https://user:secret@localhost:1', /"https:\/\/localhost:1\/?"/],
    ['http://user:secret@ bad', /"http:\/\/ bad"/],
    ['http://localhost:1/?token=secret', /"http:\/\/localhost:1\/"/],
    ['http://localhost:1/?a', /query/],
    ['http://localhost:1/#a', /fragment/],
    ['http://localhost:1/%', /percent/],
    ['http://localhost:1/%ff', /percent/],
    [`http://localhost:1/${'a'.repeat(1025)}`, /longer/],
  ]) {
    assert.throws(
      () => url.parse(bad),
      { code: 'ERR_NC_INVALID_URL', message: reason },
      String(bad),
    )
  }
})

test('a password is not repeated', () => {
  assert.throws(
    () => url.parse('http://user:secret@localhost:1'),
    (error) => {
      return !/secret/.test(error.message)
    },
  )
})

test('port 0 is for those who listen', () => {
  assert.equal(url.parse('http://localhost:0', { anyPort: true }).port, 0)
})
