import assert from 'node:assert/strict'
import { test } from 'node:test'
import { file, procedure, stream, upload } from 'tsmicro/contract'
import { Type } from 'typebox'

const Item = Type.Object({ id: Type.String(), title: Type.String() })

test('a file, a form and a stream are inputs and outputs of procedures', () => {
  procedure({ http: 'GET /blogs.csv', access: 'user', output: file('text/csv') })
  procedure({
    http: 'PUT /blogs/:id/cover',
    access: 'user',
    input: upload({ fields: Type.Object({ id: Type.String() }), files: { cover: { types: ['image/*'] } } }),
  })
  procedure({ http: 'GET /follow', nats: 'follow', access: 'key', output: stream(Item, { id: 'id' }) })
})

const refused: readonly [string, () => unknown, RegExp][] = [
  ['an invalid media type', () => file('csv'), /"csv" is not a media type/],
  ['a type in upper case', () => file('Text/CSV'), /lower case/],
  ['no type', () => file([]), /at least one media type/],
  ['no bytes', () => file('text/csv', { maxBytes: 0 }), /maxBytes of file must be a positive integer/],
  ['a form without files', () => upload({ files: {} }), /name at least one file/],
  ['half a file', () => upload({ files: { cover: { maxCount: 0.5 } } }), /maxCount of cover must be/],
  ['a stream of bigints', () => stream(Type.BigInt()), /^TypeError: stream: /],
  ['a stream without time', () => stream(Item, { totalMs: 0 }), /totalMs must be above 0/],
  [
    'a file in a GET',
    () => procedure({ http: 'GET /a', access: 'open', input: file('text/csv') }),
    /GET and DELETE have no body/,
  ],
  [
    'a file over NATS',
    () => procedure({ http: 'POST /a', nats: 'a', access: 'open', input: file('text/csv') }),
    /over HTTP alone/,
  ],
  [
    'a field with the name of a file',
    () => upload({ fields: Type.Object({ cover: Type.String() }), files: { cover: {} } }),
    /cover is both a field and a file/,
  ],
  [
    'a form with fields that text cannot carry',
    () =>
      procedure({
        http: 'POST /a',
        access: 'open',
        input: upload({ fields: Type.Object({ deep: Type.Object({}) }), files: { cover: {} } }),
      }),
    /deep is an object, which a form cannot hold/,
  ],
  [
    'a limit of its own beside those of files',
    () => procedure({ http: 'POST /a', access: 'open', input: file('text/csv'), bodyLimitBytes: 10 }),
    /an input with files has its own limits/,
  ],
  [
    'a range as the type of an answer',
    () => procedure({ http: 'GET /a', access: 'open', output: file('image/*') }),
    /output: image\/\* is for inputs/,
  ],
  [
    'a message beside a file',
    () => procedure({ http: 'GET /a', access: 'open', output: file('text/csv'), message: 'Done' }),
    /no envelope/,
  ],
  [
    'a file with fields that JSON cannot carry',
    () =>
      procedure({
        http: 'POST /a',
        access: 'open',
        input: file('text/csv', { fields: Type.Object({ n: Type.BigInt() }) }),
      }),
    /input: /,
  ],
]

for (const [label, make, why] of refused)
  test(`${label} is refused with the reason`, () => {
    assert.throws(make, error => error instanceof TypeError && why.test(String(error)))
  })
