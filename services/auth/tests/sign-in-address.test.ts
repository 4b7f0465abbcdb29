import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf } from '../src/api/sign-in-throttle/origin.ts'

const from = (address?: string) => addressOf({ clientAddress: address })

test('an IPv4 address stands for itself', () => {
  assert.equal(from('203.0.113.9'), '203.0.113.9')
})

test('for an IPv6 address the network counts, however it is written', () => {
  for (const address of [
    '2001:db8:1:2::1',
    '2001:db8:1:2:ffff:ffff:ffff:ffff',
    '2001:0DB8:0001:0002::',
    '2001:db8:1:2::%eth0',
  ])
    assert.equal(from(address), '2001:db8:1:2::/64', address)
  assert.equal(from('2001:db8::1'), '2001:db8:0:0::/64')
  assert.equal(from('fe80::1:2:3:4'), 'fe80:0:0:0::/64')
  assert.equal(from('1:2:3::5:6:7:8'), '1:2:3:0::/64')
  assert.equal(from('1:2:3:4:5:6:7::'), '1:2:3:4::/64')
})

test('addresses without a network of their own are kept apart', () => {
  assert.notEqual(from('::ffff:203.0.113.9'), from('::ffff:203.0.113.8'))
  assert.equal(from('::1'), '::1')
})

test('without an address it counts as a direct call', () => {
  for (const address of [undefined, '', 'localhost', '1.2.3', '1.2.3.4, 5.6.7.8', '[::1]', ':::', '%'])
    assert.equal(from(address), 'direct', address)
})
