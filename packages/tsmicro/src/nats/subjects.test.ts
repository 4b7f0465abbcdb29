import assert from 'node:assert/strict'
import { test } from 'node:test'
import { covers, isInbox, tokensOf } from './subjects.ts'

test('a pattern covers its subjects and narrower patterns', () => {
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

test("inboxes: clients' own, those between accounts and clusters, and configured ones", () => {
  for (const subject of ['_INBOX.a', '_INBOX_blog.a.b', '_R_.a', '_GR_.a.b.c', 'my.own.a'])
    assert.ok(isInbox(subject, ['my.own.']), subject)
  for (const subject of [
    'user.created',
    'INBOX.a',
    'x._INBOX.a',
    '_TSMICRO.cancel.auth',
    '$SRV.PING',
    'my.owner',
    '_r_.a',
    '',
  ])
    assert.ok(!isInbox(subject, ['my.own.']), subject)
})
