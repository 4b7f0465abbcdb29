import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement, reply } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { build } from '../support/service.ts'

const CHANGED = new Date('2024-05-01T10:00:00.600Z')
const output = Type.Object({ id: Type.String() })
const shop = contract('shop', {
  strong: procedure({
    http: 'GET /strong',
    access: 'open',
    output,
    headers: { etag: 'Its version', 'cache-control': 'How long' },
  }),
  weak: procedure({ http: 'GET /weak', access: 'open', output, headers: { etag: 'Its version' } }),
  dated: procedure({ http: 'GET /dated', access: 'open', output, headers: { 'last-modified': 'When it changed' } }),
  both: procedure({ http: 'GET /both', access: 'open', output, headers: { etag: 'Version', 'last-modified': 'When' } }),
  plain: procedure({ http: 'GET /plain', access: 'open', output, headers: { etag: 'Its version' } }),
  made: procedure({ http: 'GET /made', access: 'open', output, status: [201], headers: { etag: 'Its version' } }),
  write: procedure({ http: 'POST /write', access: 'open', output, headers: { etag: 'Its version' } }),
})
const value = { id: 'a' }
const { service } = build({
  handlers: [
    implement(shop, {
      strong: () => reply(value, { headers: { etag: '"a,b"', 'cache-control': 'private, no-cache' } }),
      weak: () => reply(value, { headers: { etag: 'W/"1"' } }),
      dated: () => reply(value, { headers: { 'last-modified': CHANGED } }),
      both: () => reply(value, { headers: { etag: '"1"', 'last-modified': CHANGED } }),
      plain: () => value,
      made: () => reply(value, { headers: { etag: '"1"' } }),
      write: () => reply(value, { headers: { etag: '"1"' } }),
    }),
  ],
})
const at = (seconds: number) => new Date(CHANGED.getTime() + seconds * 1000).toUTCString()

for (const [url, headers, status] of [
  ['/strong', {}, 200],
  ['/strong', { 'if-none-match': '"a,b"' }, 304],
  ['/strong', { 'if-none-match': 'W/"a,b"' }, 304],
  ['/strong', { 'if-none-match': '"x", W/"y" , "a,b"' }, 304],
  ['/strong', { 'if-none-match': '"x","y"' }, 200],
  ['/strong', { 'if-none-match': '*' }, 304],
  ['/strong', { 'if-none-match': ' * ' }, 304],
  ['/strong', { 'if-none-match': '' }, 200],
  ['/strong', { 'if-none-match': 'a,b' }, 200],
  ['/strong', { 'if-none-match': '"A,B"' }, 200],
  ['/weak', { 'if-none-match': '"1"' }, 304],
  ['/weak', { 'if-none-match': 'W/"1"' }, 304],
  ['/weak', { 'if-none-match': 'w/"2"' }, 200],
  ['/dated', { 'if-modified-since': at(0) }, 304],
  ['/dated', { 'if-modified-since': at(1) }, 304],
  ['/dated', { 'if-modified-since': at(-1) }, 200],
  ['/dated', { 'if-modified-since': 'Sunday, 06-Nov-94 08:49:37 GMT' }, 200],
  ['/dated', { 'if-modified-since': '9999' }, 200],
  ['/dated', { 'if-modified-since': 'tomorrow' }, 200],
  ['/dated', { 'if-none-match': '"1"' }, 200],
  ['/both', { 'if-none-match': '"1"', 'if-modified-since': at(-9) }, 304],
  ['/both', { 'if-none-match': '"2"', 'if-modified-since': at(9) }, 200],
  ['/both', { 'if-modified-since': at(9) }, 304],
  ['/plain', { 'if-none-match': '*' }, 200],
  ['/made', { 'if-none-match': '"1"' }, 201],
] as const)
  test(`${url} asked with ${JSON.stringify(headers)}: ${status}`, async () => {
    const get = await service.inject({ url, headers })
    const head = await service.inject({ method: 'HEAD', url, headers })
    assert.deepEqual([get.statusCode, head.statusCode, head.body], [status, status, ''])
    const kept = ['etag', 'last-modified', 'cache-control']
    for (const name of kept) assert.equal(head.headers[name], get.headers[name], name)
    if (status !== 304) return assert.deepEqual(get.json().data, value)
    assert.equal(get.body, '')
    for (const { headers } of [get, head])
      assert.deepEqual(
        [headers['content-length'], headers['content-type'], headers['transfer-encoding']],
        [undefined, undefined, undefined],
      )
    const full = await service.inject({ url })
    for (const name of kept) assert.equal(get.headers[name], full.headers[name], name)
  })

test('a write is never answered 304: its handler has run', async () => {
  const answer = await service.inject({ method: 'POST', url: '/write', headers: { 'if-none-match': '"1"' } })
  assert.deepEqual([answer.statusCode, answer.json().data], [200, value])
})
