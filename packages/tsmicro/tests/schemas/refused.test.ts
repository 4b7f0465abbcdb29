/** What `findRefused` calls compatible is: no value that passes the one fails the other, by the framework's own checks. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TSchema } from 'typebox'
import {
  type Check,
  type Checked,
  compiled,
  describeSchema,
  findRefused,
  type Journey,
  type JsonSchema,
} from '../../src/schema/index.ts'
import { messageFor, shapeOf } from './generated.ts'
import { edits, inContext } from './grown.ts'
import { keywordSchema, smallValue } from './keywords.ts'
import { LIBRARIES } from './libraries.ts'

const JOURNEYS: readonly Journey[] = (['refuse', 'ignore'] as const).flatMap(unknownFields =>
  (['omitted', 'filled', 'none'] as const).map(defaults => ({ unknownFields, defaults })),
)
/** A tenth by hand. */
const sized = (full: number) => (process.env.CI ? full : full / 10)
const SEED = Number(process.env.SEED ?? 14)
const options = (runs: number) => ({ numRuns: sized(runs), seed: SEED })

const sync = (check: Check) => check as (value: unknown) => Checked
const schemaOf = (schema: JsonSchema) => schema as unknown as TSchema

/** How many values made the journey. */
function assertSound(written: JsonSchema, read: JsonSchema, values: readonly unknown[]): number {
  let travelled = 0
  for (const journey of JOURNEYS) {
    if (findRefused(written, read, journey).length > 0) continue
    const { defaults, unknownFields } = journey
    const [from, to] = defaults === 'none' ? (['incoming', 'incoming'] as const) : (['request', 'request'] as const)
    const writes = sync(compiled[from](schemaOf(written), 'refuse'))
    const reads = sync(compiled[to](schemaOf(read), unknownFields))
    for (const value of values) {
      const sent = writes(value)
      if (sent.problems) continue
      travelled++
      const message = defaults === 'filled' ? sent.value : value
      const got = reads(structuredClone(message))
      const told = JSON.stringify({ journey, written, read, message, problems: got.problems }, undefined, 1)
      assert.equal(got.problems, undefined, told)
    }
  }
  return travelled
}

test('random schemas: never called compatible when a value passes the one and fails the other', () => {
  let travelled = 0
  const pair = keywordSchema.chain(one =>
    fc.tuple(fc.constant(one), fc.oneof(keywordSchema, changed(one), changed(one).chain(changed))),
  )
  fc.assert(
    fc.property(pair, fc.array(smallValue, { minLength: 20, maxLength: 20 }), ([one, other], values) => {
      travelled += assertSound(one, other, values) + assertSound(other, one, values)
    }),
    options(3000),
  )
  assert.ok(travelled > sized(3000), `${travelled} values say little`)
})

test('schemas as people write them, changed in one place: the same', () => {
  let travelled = 0
  const schema = shapeOf('typebox').map(shape => ({ shape, schema: describeSchema(LIBRARIES.typebox(shape)) }))
  const pair = schema.chain(({ shape, schema }) =>
    fc.tuple(fc.constant(schema), changed(schema), fc.array(messageFor(shape), { minLength: 10, maxLength: 10 })),
  )
  fc.assert(
    fc.property(pair, ([one, other, values]) => {
      travelled += assertSound(one, other, values) + assertSound(other, one, values)
    }),
    options(1000),
  )
  assert.ok(travelled > sized(1000), `${travelled} values say little`)
})

/** A copy with one random node replaced, or one keyword of it left out. */
function changed(schema: JsonSchema): fc.Arbitrary<JsonSchema> {
  const places = [...pathsOf(schema)]
  return fc.tuple(fc.constantFrom(...places), keywordSchema, fc.nat()).map(([path, replacement, choice]) => {
    const copy = structuredClone({ whole: schema }) as Record<string, unknown>
    const parent = path.slice(0, -1).reduce<Record<string, unknown>>((node, step) => node[step] as typeof node, copy)
    const last = path.at(-1) ?? ''
    const node = parent[last] as Record<string, unknown>
    const keywords = Object.keys(node)
    const chosen = keywords[choice % (keywords.length + 2)]
    if (chosen === undefined) parent[last] = choice % 2 ? replacement : { ...node, ...replacement }
    else delete node[chosen]
    return copy.whole as JsonSchema
  })
}

function* pathsOf(node: unknown, path: readonly string[] = ['whole']): Generator<readonly string[]> {
  if (typeof node !== 'object' || node === null) return
  if (!Array.isArray(node)) yield path
  for (const [name, member] of Object.entries(node)) {
    if (['properties', '$defs', 'patternProperties'].includes(name) && !Array.isArray(node)) {
      for (const [key, each] of Object.entries(member as object)) yield* pathsOf(each, [...path, name, key])
    } else if (!['enum', 'const', 'default', 'required'].includes(name)) yield* pathsOf(member, [...path, name])
  }
}

for (const [name, { direction, pair }] of Object.entries(edits))
  test(`always compatible: ${name}`, () => {
    const journey: Journey =
      direction === 'input'
        ? { unknownFields: 'refuse', defaults: 'omitted' }
        : { unknownFields: 'ignore', defaults: 'none' }
    fc.assert(
      fc.property(inContext(pair), ([before, after]) => {
        const [written, read] = direction === 'input' ? [before, after] : [after, before]
        assert.deepEqual(findRefused(written, read, journey), [], JSON.stringify({ before, after }))
      }),
      options(500),
    )
  })
