import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MongoErrorLabel, MongoNetworkError, MongoServerError } from 'mongodb'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE, UnusableError, unusableIn } from '../errors/index.ts'
import { translate } from './errors.ts'
import { createMongo } from './index.ts'

// Errors that a single server can't be made to return: those of a replica set during an election, and of a busy server

const answer = (code: number, labels: string[] = []) =>
  new MongoServerError({ message: 'server', code, errorLabels: labels, errmsg: 'server' })

test('a server that is not the primary, shuts down or has lost our cursor is unavailable', () => {
  for (const code of [10107, 13435, 189, 91, 11600, 11602, 43]) {
    const translated = translate(answer(code))
    assert.ok(translated instanceof SERVICE_UNAVAILABLE, String(code))
    assert.ok(translated.cause instanceof MongoServerError)
  }
  assert.ok(translate(new MongoNetworkError('reset')) instanceof SERVICE_UNAVAILABLE)
  assert.ok(translate(answer(112, [MongoErrorLabel.TransientTransactionError])) instanceof SERVICE_UNAVAILABLE)
})

test('refused credentials and certificates are unavailable, and reported as permanent', () => {
  const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' })
  const lost = new MongoNetworkError('certificate has expired', { cause: expired })
  for (const error of [answer(18), answer(11), answer(8000), lost]) {
    const translated = translate(error)
    assert.ok(translated instanceof SERVICE_UNAVAILABLE)
    assert.match(
      unusableIn(translated)?.message ?? '',
      /^MongoDB: .*: (check user, password.* in its URL|renew the server's certificate)/,
    )
  }
  assert.equal(unusableIn(translate(new MongoNetworkError('reset'))), undefined)
})

test('a URL that cannot be read is reported without its password', () => {
  for (const url of [
    'mongodb://u:secret@',
    'mongodb://u:sec/ret@h/x',
    'mongodb://u:secret@h:99999/x',
    'mongo://u:secret@h',
  ]) {
    assert.throws(
      () => createMongo({ url }),
      (error: unknown) => error instanceof UnusableError && !/sec.?ret/.test(error.message),
      url,
    )
  }
  assert.throws(
    () => createMongo({ url: 'mongodb://h/x?nonsense=1' }),
    /the URL of MongoDB cannot be used: option nonsense/,
  )
})

test('errors of the server, not of the operation, are unavailable', () => {
  const states = {
    'a full disk': 14031,
    'a file that cannot be opened': 176,
    'too many open files': 264,
    'damaged data': 301,
    'a lock that somebody holds': 24,
    'a write conflict': 112,
    'a write concern that cannot be met': 100,
    'an election': 216,
    'too much to do': 365,
    'writes that are blocked': 371,
    'a collection that was dropped meanwhile': 175,
    'shards that move': 13388,
    'an index that is being built': 12587,
    'what the server does not know itself': 8,
  }
  for (const [state, code] of Object.entries(states))
    assert.ok(translate(answer(code)) instanceof SERVICE_UNAVAILABLE, state)
  assert.ok(translate(answer(462, ['SystemOverloadedError'])) instanceof SERVICE_UNAVAILABLE)
})

test('an error of the socket itself is unavailable, too', () => {
  for (const code of ['EPIPE', 'ECONNRESET', 'ECONNREFUSED']) {
    const error = Object.assign(new Error(`write ${code}`), { code })
    assert.ok(translate(error) instanceof SERVICE_UNAVAILABLE, code)
  }
})

test('an operation that takes too long exceeds its deadline', () => {
  for (const code of [50, 262, 64, 202]) assert.ok(translate(answer(code)) instanceof DEADLINE_EXCEEDED, String(code))
})

test('everything else is returned unchanged', () => {
  for (const error of [answer(11000), answer(2), answer(13), new TypeError('x'), 'text', undefined]) {
    assert.equal(translate(error), error)
  }
})
