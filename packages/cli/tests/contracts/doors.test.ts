/** Which changes to procedures break their callers: doors, access, errors, settings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, defineErrors, defineRoles, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { recordOf } from '../../src/contracts/record.ts'
import { both, GONE, nats, p, type Row, roles, S, TAKEN, testTable, withProcedure } from './table.ts'

const { FULL } = defineErrors({ FULL: { status: 507, message: 'Full' } })
const { TAKEN: TAKEN_404 } = defineErrors({ TAKEN: { status: 404, message: 'Taken' } })
const { TAKEN: TAKEN_BARE } = defineErrors({ TAKEN: { status: 409, message: 'Taken' } })

const access = (before: unknown, after: unknown, base: object = both) =>
  p({ ...base, access: before }, { ...base, access: after })

const TABLE: readonly Row[] = [
  ['nothing', ...p(both, both), []],
  // Procedures as a whole
  [
    'a new procedure',
    {},
    withProcedure(both),
    ['READER: is a new role', 'WRITER: is a new role', 'ADMIN: is a new role', 'shop.a: is a new procedure'],
  ],
  ['a removed procedure', withProcedure(both), { roles }, ['!shop.a: the procedure is removed']],
  ['a removed HTTP door', ...p(both, { ...both, http: undefined }), ['!shop.a: no longer has its HTTP door, POST /a']],
  ['a removed NATS door', ...p(both, { ...both, nats: undefined }), ['!shop.a: no longer has its NATS door, shop.a']],
  ['a new door', ...p(nats, { ...nats, http: 'POST /a' }), ['shop.a: has a new HTTP door, POST /a']],
  ['another route', ...p(both, { ...both, http: 'POST /b' }), ['!shop.a: its HTTP door is POST /b instead of POST /a']],
  ['another method', ...p(both, { ...both, http: 'PUT /a' }), ['!shop.a: its HTTP door is PUT /a instead of POST /a']],
  [
    'a field moves to the query',
    ...p(both, { ...both, http: 'POST /a?id' }),
    ['!shop.a: its HTTP door is POST /a?id instead of POST /a'],
  ],
  ['another subject', ...p(nats, { ...nats, nats: 'b' }), ['!shop.a: its NATS door is shop.b instead of shop.a']],
  // Access
  ['open → key', ...access('open', 'key'), ['!shop.a: its access is key instead of open: some callers are refused']],
  ['key → user', ...access('key', 'user'), ['!shop.a: its access is user instead of key: some callers are refused']],
  [
    'user → a role',
    ...access('user', roles.READER),
    ['!shop.a: its access is READER instead of user: some callers are refused'],
  ],
  [
    'a role → a higher one',
    ...access(roles.READER, roles.ADMIN),
    ['!shop.a: its access is ADMIN instead of READER: some callers are refused'],
  ],
  [
    'a role → a lower one',
    ...access(roles.ADMIN, roles.WRITER),
    ['shop.a: its access is WRITER instead of ADMIN: nobody loses it'],
  ],
  ['user → open', ...access('user', 'open'), ['shop.a: its access is open instead of user: nobody loses it']],
  [
    'open → internal',
    ...access('open', 'internal'),
    ['!shop.a: its access is internal instead of open: some callers are refused'],
  ],
  [
    'internal → key, over HTTP',
    ...access('internal', 'key'),
    ['!shop.a: its access is key instead of internal: some callers are refused'],
  ],
  [
    'internal → open',
    ...access('internal', 'open'),
    ['shop.a: its access is open instead of internal: nobody loses it'],
  ],
  [
    'internal → key, over NATS alone',
    ...access('internal', 'key', nats),
    ['shop.a: its access is key instead of internal: nobody loses it'],
  ],
  [
    'internal → user, over NATS alone',
    ...access('internal', 'user', nats),
    ['!shop.a: its access is user instead of internal: some callers are refused'],
  ],
  [
    'a role that is gone',
    { ...withProcedure({ ...both, access: roles.READER }), roles: undefined },
    { ...withProcedure({ ...both, access: defineRoles('OTHER').OTHER }), roles: undefined },
    ['!shop.a: its access is OTHER instead of READER: some callers are refused'],
  ],
  [
    'user → the owner or a role',
    ...access('user', { ownerOr: roles.WRITER }),
    ['!shop.a: its access is owner or WRITER instead of user: some callers are refused'],
  ],
  [
    'a role → the owner or that role',
    ...access(roles.WRITER, { ownerOr: roles.WRITER }),
    ['shop.a: its access is owner or WRITER instead of WRITER: nobody loses it'],
  ],
  [
    'the owner or a role → a lower role',
    ...access({ ownerOr: roles.WRITER }, roles.READER),
    ['!shop.a: its access is READER instead of owner or WRITER: some callers are refused'],
  ],
  [
    'a key that has to be sent',
    ...p({ ...both, idempotencyKey: true }, { ...both, idempotencyKey: 'required' }),
    ['!shop.a: its Idempotency-Key is required now'],
  ],
  [
    'a key that may be sent',
    ...p(both, { ...both, idempotencyKey: true }),
    ['shop.a: its Idempotency-Key may be sent, and may be left out'],
  ],
  ['a role is removed', { roles }, { roles: defineRoles('READER', 'ADMIN') }, ['!WRITER: the role is removed']],
  [
    'roles in another order',
    { roles },
    { roles: defineRoles('WRITER', 'READER', 'ADMIN') },
    ['!roles: their order is WRITER < READER < ADMIN'],
  ],
  [
    'a role between others',
    { roles },
    { roles: defineRoles('READER', 'EDITOR', 'WRITER', 'ADMIN') },
    ['EDITOR: is a new role'],
  ],
  // Errors and settings
  ['a removed error', ...p(both, { ...both, errors: { TAKEN } }), ['!shop.a: error GONE is removed']],
  [
    'a new error',
    ...p(both, { ...both, errors: { TAKEN, GONE, FULL } }),
    ['shop.a: error FULL is new: those who do not know it see its status, 507'],
  ],
  [
    'another error status',
    ...p({ ...both, errors: { TAKEN: TAKEN_BARE } }, { ...both, errors: { TAKEN: TAKEN_404 } }),
    ['!shop.a: error TAKEN has status 404 instead of 409'],
  ],
  [
    'the data of an error is removed',
    ...p({ ...both, errors: { TAKEN } }, { ...both, errors: { TAKEN: TAKEN_BARE } }),
    ['!shop.a: data of error TAKEN is removed'],
  ],
  [
    'another status of success',
    ...p(both, { ...both, status: 201 }),
    ['!shop.a: its status may be 201 instead of 200'],
  ],
  [
    'one more status of success',
    ...p(both, { ...both, status: [200, 202] }),
    ['!shop.a: its status may be 202 instead of 200'],
  ],
  [
    'fewer statuses of success',
    ...p({ ...both, status: [200, 202] }, both),
    ['shop.a: its status is 200, which it might be before'],
  ],
  [
    'a header is removed, another is new',
    ...p({ ...both, headers: { location: 'x' } }, { ...both, headers: { link: 'x' } }),
    ['!shop.a: it no longer sets the headers location', 'shop.a: it may set the headers link'],
  ],
  ['without the envelope', ...p(both, { ...both, bare: true }), ['!shop.a: it answers without the envelope now']],
  [
    'no longer idempotent',
    ...p({ ...both, idempotent: true }, both),
    ['!shop.a: it is no longer idempotent: callers may still repeat it'],
  ],
  ['idempotent', ...p(both, { ...both, idempotent: true }), ['shop.a: it is idempotent now']],
  ['smaller bodies', ...p(both, { ...both, bodyLimitBytes: 10 }), ['!shop.a: it takes no more than 10 bytes now']],
]

testTable(TABLE)

test('the recorded form does not depend on the order in which things are declared', () => {
  const text = (...fields: string[]) =>
    JSON.stringify(
      recordOf(withProcedure({ ...nats, input: Type.Object(Object.fromEntries(fields.map(f => [f, S]))) }), []),
    )
  assert.equal(text('a', 'b', 'c'), text('c', 'a', 'b'))
})

test('two procedures of a service may not share a name, unless they are the same', () => {
  const one = contract('shop', { a: procedure(nats) })
  assert.throws(
    () => recordOf({ one, other: contract('shop', { a: procedure({ ...nats, nats: 'b' }) }) }, []),
    /two members of the contracts are called shop\.a: rename one/,
  )
  recordOf({ one, again: contract('shop', { a: procedure(nats) }) }, [])
})
