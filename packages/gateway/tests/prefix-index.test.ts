import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchPath, pathPattern, textOfPath } from '../src/routing/patterns.ts'
import { literalPrefix } from '../src/routing/regex.ts'
import { PrefixIndex } from '../src/routing/router.ts'

const all = (entry: { rank: number }) => entry

test('the entry with the lowest rank wins, anywhere in the tree', () => {
  const path = fc.array(fc.constantFrom('/', 'a', 'b', '/a', '/ab', 'é'), { maxLength: 6 }).map(parts => parts.join(''))
  fc.assert(
    fc.property(fc.array(path, { maxLength: 12 }), path, fc.nat(12), fc.nat(4), (prefixes, asked, limit, divisor) => {
      const index = new PrefixIndex<{ prefix: string; rank: number }>()
      const entries = prefixes.map((prefix, rank) => ({ prefix, rank }))
      for (const entry of entries) index.add(entry.prefix, entry)
      const wanted = (entry: { rank: number }) => entry.rank % (divisor + 1) === 0
      const expected = entries.find(entry => asked.startsWith(entry.prefix) && wanted(entry) && entry.rank < limit)
      assert.equal(
        index.find(asked, limit, entry => (wanted(entry) ? entry : undefined)),
        expected,
      )
    }),
  )
  assert.equal(new PrefixIndex().find('/', 1, all), undefined)
})

test('the literal prefix of a regular expression', () => {
  for (const [source, expected] of [
    ['/blog/id/[^/]+$', '/blog/id/'],
    ['/blog/list/latest$', '/blog/list/latest'],
    ['/v\\d+/x', '/v'],
    ['/a\\.b\\-c', '/a.b-c'],
    ['/ab?c', '/a'],
    ['/ab*c', '/a'],
    ['/ab{0,1}c', '/a'],
    ['/a\\.?b', '/a'],
    ['/ab+c', '/ab'],
    ['/a(?:b|c)', '/a'],
    ['/a.c', '/a'],
    ['/é', '/'],
    ['/a^b', '/a'],
    ['/a\\nb', '/a'],
    ['(?:/a|/b)', ''],
  ] as const)
    assert.equal(literalPrefix(source), expected, source)
})

test('every path that a regular expression matches begins with its literal prefix', () => {
  const piece = fc.constantFrom(
    '/',
    'a',
    'b',
    '.',
    '[ab]',
    '\\.',
    '\\d',
    '+',
    '?',
    '*',
    '(?:a|b)',
    '(a',
    ')',
    '{2}',
    '-',
    '1',
    'é',
    '$',
  )
  const source = fc.array(piece, { maxLength: 8 }).map(parts => `~/${parts.join('')}`)
  const path = fc
    .array(fc.constantFrom('/', 'a', 'b', '.', '1', '-', 'Ã©'), { maxLength: 8 })
    .map(parts => `/${parts.join('')}`)
  fc.assert(
    fc.property(source, fc.array(path, { maxLength: 20 }), (written, paths) => {
      let pattern: ReturnType<typeof pathPattern>
      try {
        pattern = pathPattern(written, 'here')
      } catch {
        return
      }
      for (const asked of paths)
        if (matchPath(pattern, asked, textOfPath(asked) ?? '') !== undefined)
          assert.ok(asked.startsWith(pattern.prefix), `${written} ${asked}`)
    }),
    { numRuns: 500 },
  )
})
