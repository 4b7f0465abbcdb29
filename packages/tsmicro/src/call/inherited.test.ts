import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DoorContext } from './context.ts'
import { Deadline } from './deadline.ts'
import { HeaderFields } from './inherited.ts'

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }

test('calls inherit request id and trace, and those that ask for a user the token as well', () => {
  using deadline = new Deadline(1000)
  const headers = { 'x-request-id': 'r1', traceparent: TRACE, authorization: 'bearer t.o.k' }
  const { inherited } = new DoorContext({ door: 'http', headers, deadline, log })
  const plain = inherited.headers(false)
  assert.equal(plain.lines, `x-request-id: r1\r\ntraceparent: ${TRACE}\r\n`)
  assert.deepEqual(JSON.parse(plain.json), { 'x-request-id': 'r1', traceparent: TRACE })
  assert.equal(inherited.headers(true).lines, `${plain.lines}authorization: Bearer t.o.k\r\n`)
})

test('they are written once for all calls of a request, and a request’s own are read only when somebody asks', () => {
  using deadline = new Deadline(1000)
  let read = 0
  const headers = () => {
    read += 1
    return { 'x-request-id': 'r1' }
  }
  const context = new DoorContext({ door: 'nats', headers, deadline, log })
  assert.equal(read, 0)
  assert.equal(context.inherited.headers(true), context.inherited.headers(true))
  assert.equal(context.inherited.headers(true), context.inherited.headers(false), 'there is no token')
  assert.deepEqual([context.requestId, context.traceparent, context.token], ['r1', undefined, undefined])
  assert.equal(read, 1)
})

test('a value cannot add a header', () => {
  for (const value of ['a\r\nauthorization: Bearer x', 'a\n', '\r'])
    assert.throws(() => new HeaderFields({ 'x-request-id': value }).lines, TypeError)
  assert.equal(new HeaderFields({ a: ' b ' }).lines, 'a: b\r\n')
})
