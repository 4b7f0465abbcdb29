import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decoded } from './decoded.ts'
import { messageFor, shapeOf } from './generated.ts'
import { eventDataOf, LIBRARIES, type Library } from './libraries.ts'
import { type Oracle, oracleOf } from './oracle.ts'
import { openRoom, type Room, type Taken } from './room.ts'
import type { Shape } from './shape.ts'

/** Values of one schema. */
const VALUES = 10
/** Schemas of each library: with all of them 10,000 values. */
const RUNS = process.env.CI ? 250 : 10

for (const library of Object.keys(LIBRARIES) as Library[])
  test(`${library}: every door says the same of a value, and takes the same for it`, async () => {
    const cases = shapeOf(library).chain(shape =>
      fc.tuple(fc.constant(shape), fc.array(messageFor(shape), { minLength: 1, maxLength: VALUES, size: 'max' })),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ([shape, values]) => {
        const oracle = oracleOf(shape, library !== 'typebox')
        await using room = await openRoom(LIBRARIES[library](shape), eventDataOf(library, shape))
        for (const value of values) {
          await incoming(room, oracle, library, shape, value)
          await outgoing(room, oracle, library, shape, value)
        }
      }),
      { numRuns: RUNS, seed: Number(process.env.SEED ?? 11) },
    )
  })

async function incoming(room: Room, oracle: Oracle, library: Library, shape: Shape, value: unknown): Promise<void> {
  const { verdict, value: filled } = oracle.incoming(value)
  const accepts = (of: Shape, member: unknown) =>
    oracleOf(of, library !== 'typebox').incoming(member).verdict !== 'wrong'
  const wanted = library === 'typebox' ? filled : verdict === 'wrong' ? undefined : decoded(shape, value, accepts)
  const http = await room.overHttp(value)
  assert.equal(http.ok, verdict === 'named', `over HTTP: ${verdict}`)
  const others: [string, Taken][] = [
    ['over NATS', await room.overNats(value)],
    ['as an event', await room.asEvent(value)],
    ['called', await room.called(value)],
    ['called over HTTP', await room.calledOverHttp(value)],
    ['published', await room.published(value)],
  ]
  for (const [how, { ok, given }] of others) {
    assert.equal(ok, verdict !== 'wrong', `${how}: ${verdict}`)
    if (verdict === 'named' || (library !== 'typebox' && ok)) assert.deepEqual(given, [wanted], how)
    else if (ok) assertPart(given[0], filled, oracle, how)
  }
  if (verdict === 'named') assert.deepEqual(http.given, [wanted], 'over HTTP')
}

async function outgoing(room: Room, oracle: Oracle, library: Library, shape: Shape, value: unknown): Promise<void> {
  const verdict = oracle.outgoing(value)
  const http = await room.answerOverHttp(value)
  const nats = await room.answerOverNats(value)
  const caller = await room.answerToCaller(value)
  assert.equal(http.ok, verdict !== 'wrong', `answered over HTTP: ${verdict}`)
  assert.deepEqual(nats, http, 'answered over NATS')
  assert.equal(caller.ok, http.ok, 'answered to a caller')
  if (verdict === 'named') assert.deepEqual(http.data, value, 'answered')
  if (verdict === 'unnamed') assertPart(http.data, value, oracle, 'answered')
  if (verdict === 'wrong') return
  const accepts = (of: Shape, member: unknown) => oracleOf(of, true).outgoing(member) !== 'wrong'
  const wanted = library === 'typebox' ? http.data : decoded(shape, http.data, accepts)
  assert.deepEqual(caller.data, wanted, 'what the caller gets')
}

/** Nothing but what is named, and no more than there was. */
function assertPart(part: unknown, whole: unknown, oracle: Oracle, how: string): void {
  assert.equal(oracle.outgoing(part), 'named', `${how}: ${JSON.stringify(part)}`)
  assert.ok(isPart(part, whole), `${how}: ${JSON.stringify(part)}`)
}

function isPart(part: unknown, whole: unknown): boolean {
  if (typeof part !== 'object' || part === null || typeof whole !== 'object' || whole === null) return part === whole
  return Object.entries(part).every(([name, member]) => isPart(member, (whole as Record<string, unknown>)[name]))
}
