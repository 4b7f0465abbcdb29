import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MongoErrorLabel, MongoNetworkError, MongoServerError } from 'mongodb'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { translate } from './errors.ts'

// What one server alone can't be made to say: the answers of a replica set that elects, and of a busy server

const answer = (code: number, labels: string[] = []) =>
  new MongoServerError({ message: 'server', code, errorLabels: labels, errmsg: 'server' })

test('a server that is no primary, goes away or forgot our cursor is unavailable', () => {
  for (const code of [10107, 13435, 189, 91, 11600, 11602, 43]) {
    const translated = translate(answer(code))
    assert.ok(translated instanceof SERVICE_UNAVAILABLE, String(code))
    assert.ok(translated.cause instanceof MongoServerError)
  }
  assert.ok(translate(new MongoNetworkError('reset')) instanceof SERVICE_UNAVAILABLE)
  assert.ok(translate(answer(112, [MongoErrorLabel.TransientTransactionError])) instanceof SERVICE_UNAVAILABLE)
})

test('a bare error of the socket is unavailable, too', () => {
  for (const code of ['EPIPE', 'ECONNRESET', 'ECONNREFUSED']) {
    const error = Object.assign(new Error(`write ${code}`), { code })
    assert.ok(translate(error) instanceof SERVICE_UNAVAILABLE, code)
  }
})

test('an operation over its time is a deadline', () => {
  for (const code of [50, 262, 64]) assert.ok(translate(answer(code)) instanceof DEADLINE_EXCEEDED, String(code))
})

test('everything else passes unchanged', () => {
  for (const error of [answer(11000), answer(2), answer(18), new TypeError('x'), 'text', undefined]) {
    assert.equal(translate(error), error)
  }
})
