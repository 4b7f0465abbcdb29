import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { expressionTable } from './conformance/table.cases.ts'
import { accumulatorTable } from './conformance/tables/accumulators.ts'
import { projectionTable } from './conformance/tables/projections.ts'
import { filterTable } from './conformance/tables/queries.ts'
import { stageTable } from './conformance/tables/stages.ts'
import { updateTable } from './conformance/tables/updates.ts'
import { offered, readmeLines } from './support/offered.ts'

const count = (table: Readonly<Record<string, { readonly length: number }>>): Map<string, number> =>
  new Map(Object.entries(table).map(([name, rows]) => [name, rows.length]))
const filterRows = Object.fromEntries(Object.entries(filterTable).map(([name, { rows }]) => [name, rows]))

const tables: Readonly<Record<keyof typeof offered, Map<string, number>>> = {
  Filters: count(filterRows),
  Projections: count(projectionTable),
  Updates: count(updateTable),
  Stages: count(stageTable),
  Accumulators: count(accumulatorTable),
  Expressions: count(expressionTable),
}

for (const [subject, names] of Object.entries(offered) as [keyof typeof offered, string[]][])
  test(`every operator has conformance cases, and no other has: ${subject}`, () => {
    assert.deepEqual([...tables[subject].keys()].sort(), names)
    const few = names.filter(name => (tables[subject].get(name) ?? 0) < 2)
    assert.deepEqual(few, [], 'operators with fewer than two cases')
  })

test('the README lists what is offered; npm run docs:operators writes it', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  for (const line of readmeLines()) assert.ok(readme.includes(line), line)
})
