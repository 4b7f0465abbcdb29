import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type from 'typebox'
import { compiled } from './index.ts'

const unique = { uniqueItems: true } as const
const Basket = Type.Object({
  few: Type.Optional(Type.Array(Type.String(), { ...unique, maxItems: 20 })),
  many: Type.Optional(Type.Array(Type.String(), unique)),
  uniqueItems: Type.Optional(Type.Boolean()),
})
const check = compiled.incoming(Basket, 'refuse')
const problemsOf = (value: unknown) => {
  const outcome = check(value)
  assert.ok(!(outcome instanceof Promise))
  return outcome.problems
}

test('equal items are reported once, at their list', () => {
  assert.deepEqual(problemsOf({ few: ['a', 'b', 'a', 'a'] }), [
    { path: 'few', message: 'must not have duplicate items' },
  ])
  assert.equal(problemsOf({ few: ['a', 'b'], many: ['a'], uniqueItems: true }), undefined)
})

test('hundreds of thousands of equal items are refused as quickly as a few', () => {
  // TypeBox's own errors would take an hour for these, and block all other requests meanwhile.
  const items = Array<string>(300_000).fill('a')
  assert.deepEqual(problemsOf({ few: items }), [{ path: 'few', message: 'must not have more than 20 items' }])
  assert.deepEqual(problemsOf({ many: items }), [{ path: 'many', message: 'must not have duplicate items' }])
})
