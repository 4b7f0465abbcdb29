import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Circuit } from './circuit-breaker.ts'

const made = (options = {}) => new Circuit({ failures: 3, silentMs: 0, openMs: 1000, ...options }, 0)

test('it opens after this many failures in a row; a success between them starts the count again', () => {
  const circuit = made()
  assert.deepEqual([circuit.fail(1, 1), circuit.fail(2, 2)], [false, false])
  assert.equal(circuit.succeed(3), false)
  assert.deepEqual([circuit.fail(4, 4), circuit.fail(5, 5)], [false, false])
  assert.equal(circuit.enter(6), 0)
  assert.equal(circuit.fail(6, 6), true)
  assert.equal(circuit.enter(7), 999)
})

test('it stays closed while something has succeeded recently', () => {
  const circuit = made({ silentMs: 500 })
  for (let at = 1; at < 10; at++) assert.equal(circuit.fail(at, at), false)
  assert.equal(circuit.fail(499, 499), false)
  assert.equal(circuit.fail(500, 500), true)
})

test('failures of calls that began before the last success do not count', () => {
  const circuit = made()
  circuit.succeed(100)
  for (let call = 0; call < 10; call++) assert.equal(circuit.fail(call, 5000), false)
  assert.equal(circuit.enter(5001), 0)
})

test('one trial at a time; its failure leaves it open, and one that never ends delays nobody', () => {
  const circuit = made()
  for (let at = 1; at <= 3; at++) circuit.fail(at, at)
  assert.ok(circuit.enter(1002) > 0)
  assert.equal(circuit.enter(1003), 0)
  assert.deepEqual([circuit.enter(1003), circuit.enter(1503)], [1000, 500])
  assert.equal(circuit.fail(1003, 1600), false)
  assert.equal(circuit.enter(1600), 403)
  assert.equal(circuit.enter(2003), 0)
  // The trial of 2003 is never answered.
  assert.ok(circuit.enter(2999) > 0)
  assert.equal(circuit.enter(3003), 0)
})

test('any success closes it, also of a call that began before it opened', () => {
  const circuit = made()
  for (let at = 1; at <= 3; at++) circuit.fail(at, at)
  assert.equal(circuit.succeed(50), true)
  assert.equal(circuit.enter(51), 0)
  assert.equal(circuit.succeed(52), false)
})
