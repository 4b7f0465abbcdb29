import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, defineErrors, defineRoles, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { changesOf } from '../../src/contracts/changes.ts'
import { ranksOf, recordOf } from '../../src/contracts/record.ts'

/** What the tables of changes have in common. */

export const roles = defineRoles('READER', 'WRITER', 'ADMIN')
export const { TAKEN, GONE } = defineErrors({
  TAKEN: { status: 409, message: 'Taken', data: Type.Object({ slug: Type.String() }) },
  GONE: { status: 410, message: 'Gone' },
})

export const S = Type.String()
export const Id = Type.Object({ id: S })
export const grow = (more: object) => Type.Object({ id: S, ...(more as Record<string, typeof S>) })
export const both = {
  http: 'POST /a',
  nats: 'a',
  access: 'key',
  input: Id,
  output: Id,
  errors: { TAKEN, GONE },
} as const
export const nats = { nats: 'a', access: 'internal', input: Id, output: Id } as const

/** A contract with this procedure, and the roles. */
export const withProcedure = (spec: object): { readonly shop: object; readonly roles: typeof roles } => ({
  shop: contract('shop', { a: procedure(spec as Parameters<typeof procedure>[0]) }),
  roles,
})
export const p = (before: object, after: object): readonly [before: object, after: object] => [
  withProcedure(before),
  withProcedure(after),
]

/** What changes from one module's exports to another's, one line each; `!` in front = it breaks somebody. */
export type Row = readonly [name: string, before: object, after: object, lines: readonly string[]]

function linesOf(before: object, after: object): readonly string[] {
  const changes = changesOf(recordOf(before, []), recordOf(after, []), ranksOf(after))
  return changes.map(({ name, what, instead }) => `${instead === undefined ? '' : '!'}${name}: ${what}`)
}

export function testTable(table: readonly Row[]): void {
  for (const [name, before, after, lines] of table)
    test(`${lines.some(line => line.startsWith('!')) ? 'breaks' : 'fits'}: ${name}`, () => {
      assert.deepEqual(linesOf(before, after), lines)
    })
}
