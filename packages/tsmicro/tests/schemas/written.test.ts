import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type from 'typebox'
import { openRoom } from './room.ts'

const Event = Type.Object({ id: Type.String(), it: Type.Unknown() })

/** A list as an ORM gives them: it says itself how it is written. */
class Rows<Row> extends Array<Row> {
  toJSON() {
    return { leaked: 1 }
  }
}

test('what is written is what was checked: no list or object decides by itself how it is written', async () => {
  const toJSON = () => ({ leaked: 1 })
  const rows = Rows.of('a')
  const cases = [
    [Type.Array(Type.String()), rows, ['a']],
    [Type.Array(Type.String()), Object.assign(['a'], { toJSON }), ['a']],
    [Type.Unsafe({ type: 'array' }), rows, ['a']],
    [
      Type.Object({ all: Type.Array(Type.Object({ n: Type.Integer() })) }),
      { all: Rows.of({ n: 1, zz: 2 }) },
      { all: [{ n: 1 }] },
    ],
    [Type.Tuple([Type.String()]), rows, ['a']],
    [Type.Record(Type.String(), Type.Unknown()), { a: 1, toJSON }, { a: 1 }],
    [Type.Object({ a: Type.String() }, { additionalProperties: true }), { a: 'x', b: 1, toJSON }, { a: 'x', b: 1 }],
  ] as const
  for (const [schema, answer, wanted] of cases) {
    await using room = await openRoom(schema, Event)
    assert.deepEqual(await room.answerOverHttp(answer), { ok: true, data: wanted })
    assert.deepEqual(await room.answerOverNats(answer), { ok: true, data: wanted })
    assert.deepEqual(await room.called(answer), { ok: true, given: [wanted] })
  }
})

test('a list with holes, which would be null where nothing was checked, is refused as one with undefined', async () => {
  const holes = ['a']
  holes[2] = 'c'
  await using room = await openRoom(Type.Array(Type.String()), Event)
  assert.deepEqual(await room.answerOverHttp(holes), { ok: false })
  assert.deepEqual(await room.answerToCaller(holes), { ok: false })
  assert.equal((await room.called(holes)).ok, false)
})
