import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HealthCounter, RoundRobin } from '../src/balancing/balancer.ts'

const all = () => true

test('round robin: any run as long as the sum of weights gives each item its share, and a weight of 0 nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }), fc.nat(50), (weights, skipped) => {
      const items = weights.map(weight => ({ weight }))
      const order = new RoundRobin(items)
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      if (total === 0) {
        assert.equal(order.next(all), undefined)
        return
      }
      for (let i = 0; i < skipped; i++) order.next(all)
      const picks = Array.from({ length: total }, () => order.next(all))
      assert.deepEqual(
        items.map(item => picks.filter(pick => pick === item).length),
        weights,
      )
    }),
  )
})

test('round robin: unusable items are skipped, and get their share again later', () => {
  const [a, b] = [{ weight: 100 }, { weight: 100 }]
  const order = new RoundRobin([a, b])
  for (let i = 0; i < 10; i++)
    assert.equal(
      order.next(item => item === a),
      a,
    )
  assert.equal(
    order.next(() => false),
    undefined,
  )
  const picks = Array.from({ length: 10 }, () => order.next(all))
  assert.deepEqual(
    [a, b].map(item => picks.filter(pick => pick === item).length),
    [5, 5],
  )
})

const LIMITS = { success: 2, httpFailure: 3, tcpFailure: 2, timeout: 0 }

test('health: enough observations of one kind in a row change the state; a limit of 0 is ignored', () => {
  const health = new HealthCounter()
  const see = (...what: ('success' | 'httpFailure' | 'tcpFailure' | 'timeout')[]) =>
    what.map(each => health.observe(each, LIMITS)).at(-1)
  assert.equal(see('tcpFailure', 'success', 'tcpFailure'), false, 'a success in between')
  assert.equal(see('success', 'httpFailure', 'httpFailure', 'tcpFailure'), false, 'each kind has its own counter')
  assert.equal(see('success', 'timeout', 'timeout', 'timeout', 'timeout'), false)
  assert.equal(health.healthy, true)
  assert.equal(see('httpFailure', 'httpFailure', 'httpFailure'), true)
  assert.equal(health.healthy, false)
  assert.equal(see('success', 'tcpFailure', 'success'), false, 'a failure in between')
  assert.equal(see('success'), true)
  assert.equal(health.healthy, true)
})

test('health: setting the state by hand resets the counters', () => {
  const health = new HealthCounter()
  health.observe('tcpFailure', LIMITS)
  assert.equal(health.set(false), true)
  assert.equal(health.set(false), false)
  assert.equal(health.observe('success', LIMITS), false)
  assert.equal(health.set(true), true)
  assert.equal(health.observe('tcpFailure', LIMITS), false)
  assert.equal(health.healthy, true)
})
