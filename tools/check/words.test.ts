import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf } from './fixture.ts'
import { PHRASES, unidiomatic, words } from './words.ts'

/** One for each phrase of the list, in its order. */
const REFUSED = [
  'a token that is no JSON',
  'an address when it is none',
  'nobody waits for it any more.',
  'writes the file anew',
  'told as a failure',
  'whoever was told nothing else',
  'whatever it is, it goes',
  'a list of which there is no end',
  'puts U+FFFD in place of invalid bytes',
  'that which was sent',
  'be it misspelt or new',
  'for want of memory',
  'the service knows no variable X',
  'and all else stays',
]

for (const [index, text] of REFUSED.entries())
  test(`is refused, with what to write instead: ${text}`, () => {
    const found = unidiomatic('a.ts', `\n// ${text}\n`)
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', /^a\.ts:2 “.+”: write /)
    assert.ok(found[0]?.endsWith(`write ${PHRASES[index]?.write}`))
  })

test('every phrase of the list is shown', () => assert.equal(REFUSED.length, PHRASES.length))

for (const text of [
  'there is no such key, and there are none',
  'undefined when there is none',
  'the token is no longer valid',
  'a timer is no finer than a millisecond',
  'a full queue is no reason to end',
  'without any more of them, or any more requests',
  'if any more than ten fail',
  'it was put back in its place',
  'tell them apart as they come',
  'whatever it holds',
  'nobody knows better',
])
  test(`is accepted: ${text}`, () => assert.deepEqual(unidiomatic('a.ts', text), []))

test('a phrase is found across the lines of a comment', () => {
  assert.match(unidiomatic('a.ts', '/**\n * what is\n * no number\n */').join(), /^a\.ts:2 “is no”/)
  assert.match(unidiomatic('a.lua', '-- what is\n-- none').join(), /^a\.lua:1 “is none”/)
})

test('documents, sources and scripts are read; the changelog and data are not', async t => {
  const text = 'nobody waits any more\n'
  const files = { 'README.md': text, 'CHANGELOG.md': text, 'data.json': text, 'tools/a.ts': `// ${text}` }
  const problems = await problemsOf(words, t, files)
  assert.deepEqual(
    problems.map(problem => problem.split(' ')[0]),
    ['README.md:1', 'tools/a.ts:1'],
  )
})
