import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInbox } from './inbox.ts'

test('inboxes: of clients, between accounts and clusters, and those that somebody names', () => {
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
