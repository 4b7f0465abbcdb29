import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { translate } from './errors.ts'
import { isSerializationFailure, isUniqueViolation } from './index.ts'

// Errors that a single server can't easily be made to return; the rest is tested against a real one

function answer(code: string): Error {
  return Object.assign(new pg.DatabaseError('server', 6, 'error'), { code, severity: 'ERROR' })
}

test('a server that shuts down, starts, is full, damaged or read-only is unavailable', () => {
  const operator = ['57000', '57P01', '57P02', '57P03', '57P04', '57P05', '25006', '25P03', 'F0001']
  const resources = ['53000', '53100', '53200', '53300', '53400', '55P03']
  const system = ['58000', '58030', '58P01', 'XX000', 'XX001', 'XX002', 'HV00N', '72000']
  const connection = ['08006', '08P01', '28000', '28P01']
  for (const code of [...operator, ...resources, ...system, ...connection]) {
    const translated = translate(answer(code))
    assert.ok(translated instanceof SERVICE_UNAVAILABLE, code)
    assert.ok(translated.cause instanceof pg.DatabaseError)
  }
})

test('a network failure is unavailable', () => {
  for (const code of ['ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']) {
    assert.ok(translate(Object.assign(new Error('net'), { code })) instanceof SERVICE_UNAVAILABLE, code)
  }
})

test('a cancelled statement, or a transaction that took too long, exceeds its deadline', () => {
  assert.ok(translate(answer('57014')) instanceof DEADLINE_EXCEEDED)
  assert.ok(translate(answer('25P04')) instanceof DEADLINE_EXCEEDED)
  assert.ok(translate(new Error('Query read timeout')) instanceof DEADLINE_EXCEEDED)
})

test('everything else is returned unchanged', () => {
  for (const error of [
    answer('23505'),
    answer('42601'),
    answer('22P02'),
    answer('54000'),
    answer('P0001'),
    new TypeError('x'),
    'text',
    undefined,
  ]) {
    assert.equal(translate(error), error)
  }
  assert.ok(isUniqueViolation(answer('23505')))
  assert.ok(isSerializationFailure(answer('40P01')))
})
