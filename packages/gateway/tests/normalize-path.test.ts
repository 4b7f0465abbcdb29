import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { escapePath, normalizePath } from '../src/routing/paths.ts'

const cases: [string, string | undefined][] = [
  ['/', '/'],
  ['/a', '/a'],
  ['/a/', '/a/'],
  ['/a//b', '/a/b'],
  ['/a//', '/a/'],
  ['//', '/'],
  ['/a/./b', '/a/b'],
  ['/a/.', '/a/'],
  ['/a/b/..', '/a/'],
  ['/a/b/../', '/a/'],
  ['/a/../b', '/b'],
  ['/a/%2e%2E/b', '/b'],
  ['/a/.%2e/b', '/b'],
  ['/public/../private', '/private'],
  ['/public/%2e%2e/private', '/private'],
  ['/public//../private', '/private'],
  ['/a//../b', '/b'],
  ['//../a', undefined],
  ['/a//../../b', undefined],
  ['/a.b/..c/...', '/a.b/..c/...'],
  ['/%61%6f', '/ao'],
  ['/a%2fb', '/a%2Fb'],
  ['/a/..%2fb', '/a/..%2Fb'],
  ['/%252e%252e/a', '/%252e%252e/a'],
  ['/%3f%23%25', '/%3F%23%25'],
  ['/a%20b', '/a b'],
  ['/%C3%A9', '/\xc3\xa9'],
  ['/..', undefined],
  ['/../a', undefined],
  ['/a/../../b', undefined],
  ['/%2e%2e/a', undefined],
  ['/a%00b', undefined],
  ['/a%', undefined],
  ['/a%4', undefined],
  ['/a%zz', undefined],
]

for (const [path, expected] of cases) {
  test(`${path} is ${expected ?? 'refused'}`, () => assert.equal(normalizePath(path), expected))
}

test('characters that a request line cannot contain are encoded again, the others stay', () => {
  assert.equal(escapePath('/a b"<>\\^`{|}\x7f\xc3\xa9\r\n'), '/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D%7F%C3%A9%0D%0A')
  assert.equal(escapePath("/-._~!$&'()*+,;=:@[]%2F"), "/-._~!$&'()*+,;=:@[]%2F")
})

test('for any path, nothing that climbs is left, and normalizing again changes nothing', () => {
  const piece = fc.constantFrom('/', '//', '.', '..', '%2e', '%2E', '%2f', '%25', '%61', 'a', '%C3%A9', '%5c', ';')
  const path = fc.array(piece, { maxLength: 12 }).map(pieces => `/${pieces.join('')}`)
  fc.assert(
    fc.property(path, text => {
      const normal = normalizePath(text)
      if (normal === undefined) return
      assert.match(normal, /^\//)
      assert.doesNotMatch(normal, /(^|\/)\.\.?(\/|$)|\/\//)
      assert.equal(normalizePath(normal), normal)
      assert.equal(normalizePath(escapePath(normal)), normal)
    }),
    { numRuns: 2000 },
  )
})
