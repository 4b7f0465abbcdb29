import assert from 'node:assert/strict'
import { test } from 'node:test'
import { covers, tokensOf } from './pattern.ts'

test('a pattern covers subjects and the narrower patterns', () => {
  const cases: readonly (readonly [pattern: string, other: string, covered: boolean])[] = [
    ['a.b', 'a.b', true],
    ['a.b', 'a', false],
    ['a', 'a.b', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['a.*', 'a.*', true],
    ['a.*', 'a.>', false],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['a.>', 'a.*', true],
    ['a.>', 'a.>', true],
    ['a.>', '*.>', false],
    ['a.b', 'a.*', false],
    ['>', '>', true],
    ['*', '>', false],
  ]
  for (const [pattern, other, covered] of cases)
    assert.equal(covers(tokensOf(pattern), tokensOf(other)), covered, `${pattern} ${other}`)
})
