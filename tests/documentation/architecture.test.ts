import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')

/** How many files a way through the code may have. */
const LIMITS: Readonly<Record<string, number>> = { 'A GET': 8, 'A call': 10, 'An event': 8, 'A request': 12 }

const ways = [...PAGE.matchAll(/^### (A(?:n event| GET| call| request)\b)([\s\S]*?)(?=^##|$(?![\s\S]))/gm)].map(
  ([, name = '', text = '']) => ({
    name,
    announced: Number(/at most (\d+) files/.exec(text)?.[1]),
    files: [...text.matchAll(/^\d+\. `([^`]+)`: /gm)].map(([, file = '']) => file),
  }),
)

test('docs/architecture.md follows four ways through the code', () => {
  assert.deepEqual(
    ways.map(({ name, announced }) => [name, announced]),
    Object.entries(LIMITS),
  )
})

for (const { name, files } of ways) {
  test(`${name}: every file exists, none is listed twice, and there are not too many`, () => {
    assert.deepEqual(
      files.filter(file => !existsSync(join(ROOT, file))),
      [],
    )
    assert.equal(new Set(files).size, files.length)
    assert.ok(files.length > 3 && files.length <= (LIMITS[name] ?? 0), `${files.length} files`)
  })
}
