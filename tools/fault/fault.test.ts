import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOf, TARGETS } from './faults.ts'
import { findingsOf } from './ledger.ts'

test('a seed stands for its faults: every kind for everybody, and one wipe', () => {
  const faults = faultsOf(7, 34, true)
  assert.deepEqual(faultsOf(7, 34, true), faults)
  assert.notDeepEqual(faultsOf(8, 34, true), faults)
  assert.equal(faults.filter(({ kind }) => kind === 'wipe').length, 1)
  for (const target of TARGETS)
    for (const kind of ['kill', 'freeze'])
      assert.ok(faults.filter(fault => fault.target === target && fault.kind === kind).length >= 2, `${kind} ${target}`)
  const shares = faults.map(({ at }) => at)
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  )
  assert.equal(faultsOf(7, 6, false).length, 6)
})

test('the ledgers tell what is lost, doubled, out of order, never committed or gone', () => {
  const keyed = (...keys: string[]) => new Map([['page.changed a', keys]])
  const found = (effects: string[], changes = ['1', '2', '3'], acknowledged: string[] = []) =>
    findingsOf(
      { changes: keyed(...changes), effects: { rows: keyed('1', '2', '3'), documents: keyed(...effects) } },
      new Set(acknowledged),
    )
  const of = (what: string) => [`in documents, page.changed a: ${what}`]
  assert.deepEqual(found(['1', '2', '3'], undefined, ['1']), [])
  assert.deepEqual(found(['1', '3']), of('2 is lost'))
  assert.deepEqual(found(['1', '2', '2', '3']), of('2 is doubled'))
  assert.deepEqual(found(['1', '3', '2']), of('effects are out of order'))
  assert.deepEqual(found(['1', '2', '3', '4']), of('4 was never committed'))
  assert.deepEqual(found(['1', '2', '3'], undefined, ['4']), ['4: was committed, and is gone'])
  const [rolledBack] = found(['1', '2', '3', 'abandoned 4'], ['1', '2', '3', 'abandoned 4'])
  assert.equal(rolledBack, 'abandoned 4: was rolled back, and is there')
})
