import assert from 'node:assert/strict'
import { after, before, mock, test } from 'node:test'
import { type Case, type Played, readCases } from './case.ts'
import { noLuajit, playInLua } from './in-lua.ts'
import { type Clock, NodePlayer } from './in-node.ts'

const cases = readCases()
const expected = ({ steps }: Case): Played => steps?.map(({ expect }) => expect) ?? 'refused'
const lua = noLuajit()

// The gateway runs in this process, so moving this clock lets verdicts expire without waiting.
const clock: Clock = { ahead: 0 }
const now = performance.now.bind(performance)
let node: NodePlayer
before(async () => {
  mock.method(performance, 'now', () => now() + clock.ahead)
  node = await NodePlayer.start(clock, ['one', 'two', 'three'])
})
after(async () => {
  await node[Symbol.asyncDispose]()
  mock.restoreAll()
})

test('the corpus covers every plugin and every part of an outcome', () => {
  const plugins = new Set(cases.map(({ plugin }) => plugin))
  assert.deepEqual([...plugins], ['apikey-auth', 'sign-request', 'strip-prefix'])
  assert.ok(cases.length >= 60, `${cases.length} cases`)
  assert.equal(new Set(cases.map(({ plugin, name }) => `${plugin}: ${name}`)).size, cases.length)
  const outcomes = cases.flatMap(({ steps = [] }) => steps.map(({ expect }) => expect))
  assert.ok(
    outcomes.some(({ answer }) => answer !== undefined) && outcomes.some(({ upstream }) => upstream !== undefined),
  )
  for (const { answer, upstream } of outcomes) assert.notEqual(answer === undefined, upstream === undefined)
})

test('the plugins in Node behave as the corpus says', async () => {
  for (const each of cases) assert.deepEqual(await node.play(each), expected(each), `${each.plugin}: ${each.name}`)
})

test('the plugins compiled to Lua behave as the corpus says', { skip: lua }, () => {
  const played = playInLua(cases)
  assert.equal(played.length, cases.length, 'an outcome for every case')
  for (const [at, each] of cases.entries()) {
    assert.equal(played[at]?.length, expected(each).length, `${each.name}: an outcome for every step`)
    assert.deepEqual(played[at], expected(each), `${each.plugin}: ${each.name}`)
  }
})

test('a case with another outcome is noticed, in Node and in Lua', { skip: lua }, async () => {
  const [one] = cases.filter(({ steps }) => steps !== undefined)
  assert.ok(one?.steps)
  const wrong = { ...one, steps: one.steps.map(step => ({ ...step, expect: { asked: [] } })) }
  assert.notDeepEqual(await node.play(wrong), expected(wrong))
  assert.notDeepEqual(playInLua([wrong]), [expected(wrong)])
  assert.deepEqual(playInLua([]), [])
})
