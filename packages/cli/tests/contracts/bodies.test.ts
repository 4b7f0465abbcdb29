/** Which changes to inputs break those who send them, and which changes to outputs break those who read them. */
import { file, stream, upload } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { both, grow, Id, nats, p, type Row, S, testTable } from './table.ts'

const input = (before: object | undefined, after: object | undefined, base: object = both) =>
  p({ ...base, input: before }, { ...base, input: after })
const output = (before: object | undefined, after: object | undefined) =>
  p({ ...both, output: before }, { ...both, output: after })

const TABLE: readonly Row[] = [
  ['another description', ...input(Id, Type.Object({ id: Type.String({ description: 'x' }) })), []],
  // Input: what old callers send
  ['a new required input field', ...input(Id, grow({ b: S })), ['!shop.a: input: b is required now']],
  [
    'a new optional input field',
    ...input(Id, grow({ b: Type.Optional(S) })),
    ['shop.a: input: b is new, and may be left out'],
  ],
  [
    'a new input field with a default',
    ...input(Id, grow({ b: Type.Integer({ default: 1 }) })),
    ['shop.a: input: b is new, and may be left out'],
  ],
  [
    'an optional input field becomes required',
    ...input(grow({ b: Type.Optional(S) }), grow({ b: S })),
    ['!shop.a: input: b is required now'],
  ],
  [
    'a required input field becomes optional',
    ...input(grow({ b: S }), grow({ b: Type.Optional(S) })),
    ['shop.a: input: accepts all that it accepted'],
  ],
  [
    'an input field is removed, over HTTP',
    ...input(grow({ b: Type.Optional(S) }), Id),
    ['!shop.a: input: b is no longer accepted'],
  ],
  [
    'an input field is removed, over NATS alone',
    ...input(grow({ b: S }), Id, nats),
    ['shop.a: input: accepts all that it accepted'],
  ],
  [
    'an input of another type',
    ...input(grow({ b: S }), grow({ b: Type.Integer() })),
    ['!shop.a: input: b no longer accepts string'],
  ],
  [
    'a narrower input',
    ...input(grow({ b: Type.Integer() }), grow({ b: Type.Integer({ minimum: 1 }) })),
    ['!shop.a: input: b no longer accepts numbers below 1'],
  ],
  [
    'a wider input',
    ...input(grow({ b: Type.Integer({ minimum: 1 }) }), grow({ b: Type.Number() })),
    ['shop.a: input: accepts all that it accepted'],
  ],
  [
    'a shorter input',
    ...input(grow({ b: S }), grow({ b: Type.String({ maxLength: 5 }) })),
    ['!shop.a: input: b no longer accepts strings longer than 5'],
  ],
  [
    'an input with fewer constants',
    ...input(grow({ b: Type.Enum(['x', 'y']) }), grow({ b: Type.Enum(['x']) })),
    ['!shop.a: input: b no longer accepts "y"'],
  ],
  [
    'an input with more constants',
    ...input(grow({ b: Type.Enum(['x']) }), grow({ b: Type.Enum(['x', 'y']) })),
    ['shop.a: input: accepts all that it accepted'],
  ],
  [
    'an input that may no longer be null',
    ...input(grow({ b: Type.Union([S, Type.Null()]) }), grow({ b: S })),
    ['!shop.a: input: b no longer accepts null'],
  ],
  [
    'a default is removed',
    ...input(grow({ b: Type.Integer({ default: 1 }) }), grow({ b: Type.Integer() })),
    ['!shop.a: input: b is required now'],
  ],
  [
    'a change within a list',
    ...input(grow({ b: Type.Array(Id) }), grow({ b: Type.Array(grow({ c: S })) })),
    ['!shop.a: input: b/[]/c is required now'],
  ],
  ['an input where there was none', ...input(undefined, Id), ['!shop.a: input: id is required now']],
  [
    'an optional input where there was none',
    ...input(undefined, Type.Object({ b: Type.Optional(S) })),
    ['shop.a: input: b is new, and may be left out'],
  ],
  ['no input where there was one', ...input(Id, undefined), ['!shop.a: input: id is no longer accepted']],
  [
    'no input where there was one, over NATS alone',
    ...input(Id, undefined, nats),
    ['shop.a: input: it is no longer looked at'],
  ],
  ['another library', ...input(Id, z.object({ id: z.string() })), []],
  // Output: what old callers read
  ['a new output field', ...output(Id, grow({ b: S })), ['shop.a: output: b is new: those who do not know it drop it']],
  ['a removed output field', ...output(grow({ b: S }), Id), ['!shop.a: output: b is removed']],
  ['a removed optional output field', ...output(grow({ b: Type.Optional(S) }), Id), ['!shop.a: output: b is removed']],
  [
    'an output field becomes optional',
    ...output(grow({ b: S }), grow({ b: Type.Optional(S) })),
    ['!shop.a: output: b may be missing now'],
  ],
  [
    'an optional output field is always there',
    ...output(grow({ b: Type.Optional(S) }), grow({ b: S })),
    ['shop.a: output: those who read it before can read it still'],
  ],
  [
    'a wider output',
    ...output(grow({ b: Type.Integer() }), grow({ b: Type.Number() })),
    ['!shop.a: output: b may now be number'],
  ],
  [
    'a narrower output',
    ...output(grow({ b: Type.Number() }), grow({ b: Type.Integer() })),
    ['shop.a: output: those who read it before can read it still'],
  ],
  [
    'an output that may be null',
    ...output(grow({ b: S }), grow({ b: Type.Union([S, Type.Null()]) })),
    ['!shop.a: output: b may now be null'],
  ],
  [
    'an output with more constants',
    ...output(grow({ b: Type.Enum(['x']) }), grow({ b: Type.Enum(['x', 'y']) })),
    ['!shop.a: output: b may now be "y"'],
  ],
  [
    'an output where there was none',
    ...output(undefined, Id),
    ['shop.a: output is new: those who do not know it drop it'],
  ],
  ['no output where there was one', ...output(Id, undefined), ['!shop.a: output is removed']],
  // Files, forms and streams
  [
    'a file instead of JSON',
    ...p({ http: 'GET /a', access: 'key', output: Id }, { http: 'GET /a', access: 'key', output: file('text/csv') }),
    ['!shop.a: output is a file instead of a JSON value'],
  ],
  [
    'a file of another type',
    ...p(
      { http: 'GET /a', access: 'key', output: file('text/csv') },
      { http: 'GET /a', access: 'key', output: file(['text/csv', 'text/html']) },
    ),
    ['!shop.a: output: it may now be text/html'],
  ],
  [
    'a stream whose items grow',
    ...p(
      { http: 'GET /a', access: 'key', output: stream(Id) },
      { http: 'GET /a', access: 'key', output: stream(grow({ b: S })) },
    ),
    ['shop.a: item: b is new: those who do not know it drop it'],
  ],
  [
    'a stream whose items shrink',
    ...p(
      { http: 'GET /a', access: 'key', output: stream(grow({ b: S })) },
      { http: 'GET /a', access: 'key', output: stream(Id) },
    ),
    ['!shop.a: item: b is removed'],
  ],
  [
    'a form that takes less',
    ...p(
      { http: 'POST /a', access: 'key', input: upload({ files: { b: { types: ['image/*'], maxBytes: 9 } } }) },
      { http: 'POST /a', access: 'key', input: upload({ files: { b: { types: ['image/png'], maxBytes: 5 } } }) },
    ),
    ['!shop.a: input: file b no longer accepts image/*', '!shop.a: input: file b no longer accepts more than 5 bytes'],
  ],
  [
    'a form with one more file',
    ...p(
      { http: 'POST /a', access: 'key', input: upload({ files: { b: {} } }) },
      { http: 'POST /a', access: 'key', input: upload({ files: { b: {}, c: {}, d: { optional: true } } }) },
    ),
    ['!shop.a: input: file c is required now', 'shop.a: input: file d is new, and may be left out'],
  ],
]

testTable(TABLE)
