/** What the services do on NATS, as AsyncAPI documents say it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, defineErrors, event, file, procedure, stream } from 'tsmicro/contract'
import { asyncApiOf } from 'tsmicro/internal'
import Type from 'typebox'
import { roles } from '../../contracts/auth/src/roles.ts'
import { type AsyncDocument, asyncDocuments } from './asyncapi.ts'

const documents = Object.fromEntries(asyncDocuments())

test('a document has the procedures with a NATS door, as what the service receives, and its events, as what it sends', () => {
  const told = Object.entries(documents.auth?.operations ?? {}).map(([id, { action, channel }]) => {
    const { address } = documents.auth?.channels[channel.$ref.slice('#/channels/'.length)] ?? {}
    return `${id}: ${action} ${address}`
  })
  assert.deepEqual(told.sort(), [
    'auth.accessChanges: receive auth.access.changes',
    'auth.publicKeys: receive auth.keys',
    'auth.publicProfile: receive auth.profile.public',
    'auth.validateRole: receive auth.validate.role',
    'auth.validateToken: receive auth.validate.token',
    'auth.verifyAccess: receive auth.access.verify',
    'event.apikey.revoked: send apikey.revoked',
    'event.session.revoked: send session.revoked',
    'event.user.created: send user.created',
    'event.user.roles.changed: send user.roles.changed',
    'event.user.updated: send user.updated',
  ])
})

test('a reply is the output, a declared error or one of the framework, each with what its message holds', () => {
  const replies = documents.blog?.channels['blog.findById.reply']?.messages ?? {}
  for (const code of ['BLOG_NOT_FOUND', 'VALIDATION_FAILED', 'INTERNAL', 'SERVICE_UNAVAILABLE', 'DEADLINE_EXCEEDED'])
    assert.ok(replies[code], code)
  assert.deepEqual(replies.BLOG_NOT_FOUND?.examples?.[0]?.payload, { error: '404:There is no such blog' })
  assert.equal(replies.UNAUTHENTICATED, undefined)
})

const { SOLD_OUT } = defineErrors({
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ left: Type.Integer({ minimum: 3 }) }) },
})
const shop = contract('shop', {
  order: procedure({
    nats: 'order',
    access: roles.EDITOR,
    input: Type.Object({ item: Type.String() }),
    errors: { SOLD_OUT },
  }),
  watch: procedure({ nats: 'watch', access: 'key', output: stream(Type.Object({ id: Type.String() }), { id: 'id' }) }),
  bill: procedure({ nats: 'bill', access: 'key', output: file('text/csv') }),
  ordered: event({ subject: 'order.made', aggregate: 'id', data: Type.Object({ id: Type.String() }), version: 2 }),
  find: procedure({
    nats: 'find',
    access: 'key',
    input: Type.Object({ page: Type.Integer({ default: 1 }), word: Type.Optional(Type.String()) }),
  }),
  web: procedure({ http: 'GET /web', access: 'open' }),
})

test('users, data of errors, answers of many messages and versions of events are part of it', () => {
  const { channels, operations } = asyncApiOf({ title: 'shop', version: '1.0.0' }, [shop]) as unknown as AsyncDocument
  assert.equal(operations['shop.web'], undefined)
  assert.deepEqual(operations['shop.order']?.security, [{ $ref: '#/components/securitySchemes/bearer' }])
  assert.equal(operations['shop.watch']?.security, undefined)
  assert.deepEqual(channels['shop.order']?.messages.request?.headers?.required, ['authorization'])
  const replies = channels['shop.order.reply']?.messages ?? {}
  assert.ok(replies.UNAUTHENTICATED && replies.FORBIDDEN)
  assert.deepEqual(replies.SOLD_OUT?.examples?.[0]?.payload, { error: '409:Sold out', errorData: { left: 3 } })
  for (const id of ['shop.watch', 'shop.bill']) {
    assert.deepEqual(channels[id]?.messages.request?.headers?.required, ['Tsmicro-Pulls'])
    assert.deepEqual(Object.keys(channels[`${id}.reply`]?.messages ?? {}).slice(0, 2), ['success', 'items'])
  }
  const watched = channels['shop.watch']
  assert.ok('Last-Event-ID' in (watched?.messages.request?.headers?.properties ?? {}))
  const { items } = channels['shop.watch.reply']?.messages ?? {}
  assert.deepEqual(Object.keys(items?.headers?.properties ?? {}), ['Tsmicro-Sequence', 'Tsmicro-End'])
  assert.ok(replies.MALFORMED_REQUEST)
  const made = channels['event.order.made']?.messages.event
  assert.ok(JSON.stringify(made?.headers).includes('"ce-dataversion":{"const":"2"}'), JSON.stringify(made))
})

test('of a request, what has a default may be left out, and all of it where nothing is required', () => {
  const { channels } = asyncApiOf({ title: 'shop', version: '1.0.0' }, [shop]) as unknown as AsyncDocument
  const payloadOf = (id: string) => channels[id]?.messages.request?.payload as Payload
  const { required, properties } = payloadOf('shop.find')
  assert.deepEqual([required, properties.data.required ?? []], [undefined, []])
  assert.deepEqual(payloadOf('shop.order').required, ['data'])
})

interface Payload {
  readonly required?: readonly string[]
  readonly properties: { readonly data: { readonly required?: readonly string[] } }
}
