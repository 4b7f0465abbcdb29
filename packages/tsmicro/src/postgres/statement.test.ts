import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begins, commits, ends, reads, undoes } from './session.ts'

test('only statements that certainly change nothing are reads', () => {
  for (const sql of [
    'select 1',
    '  SELECT *\nfrom x',
    'with a as (select 1) select * from a',
    'select "updated" from x',
  ])
    assert.ok(reads(sql), sql)
  for (const sql of [
    'insert into x select 1',
    'with a as (delete from x returning *) select * from a',
    'select * from x for update',
    'select "update" from x',
    'merge into x using y on true when matched then delete',
    'commit',
    'lock table x',
    '/* select */ delete from x',
  ])
    assert.ok(!reads(sql), sql)
})

test('the ends of transactions are distinguished from those of savepoints', () => {
  assert.ok(begins('begin') && begins('start transaction isolation level serializable'))
  assert.ok(ends('commit') && ends('rollback') && commits('COMMIT') && undoes('rollback'))
  assert.ok(undoes('rollback to "here"') && !ends('rollback to "here"') && !begins('release savepoint "here"'))
})
