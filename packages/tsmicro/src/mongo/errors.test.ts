import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MongoErrorLabel, MongoNetworkError, MongoServerError } from 'mongodb'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE, UnusableError, unusableIn } from '../errors/index.ts'
import { translate } from './errors.ts'
import { createMongo } from './index.ts'

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

test('refused credentials and certificates are unavailable, and reported as what waiting does not mend', () => {
  const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' })
  const lost = new MongoNetworkError('certificate has expired', { cause: expired })
  for (const error of [answer(18), answer(11), answer(8000), lost]) {
    const translated = translate(error)
    assert.ok(translated instanceof SERVICE_UNAVAILABLE)
    assert.match(
      unusableIn(translated)?.message ?? '',
      /^MongoDB: .*: check (user, password|tls, tlsCAFile).* in its URL/,
    )
  }
  assert.equal(unusableIn(translate(new MongoNetworkError('reset'))), undefined)
})

test('a URL that cannot be read is told without its password', () => {
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

test('what is wrong with the server and not with the operation is unavailable', () => {
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

test('a bare error of the socket is unavailable, too', () => {
  for (const code of ['EPIPE', 'ECONNRESET', 'ECONNREFUSED']) {
    const error = Object.assign(new Error(`write ${code}`), { code })
    assert.ok(translate(error) instanceof SERVICE_UNAVAILABLE, code)
  }
})

test('an operation over its time is a deadline', () => {
  for (const code of [50, 262, 64, 202]) assert.ok(translate(answer(code)) instanceof DEADLINE_EXCEEDED, String(code))
})

test('everything else passes unchanged', () => {
  for (const error of [answer(11000), answer(2), answer(13), new TypeError('x'), 'text', undefined]) {
    assert.equal(translate(error), error)
  }
})
