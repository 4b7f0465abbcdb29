import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { countedLines, GLANCE_PAGE, regenerated } from './glance.ts'

test('docs/api-at-a-glance.md is in step with the programs of tests/glance', () => {
  const page = readFileSync(GLANCE_PAGE, 'utf8')
  assert.equal(page, regenerated(page), 'npm run docs:glance rewrites it')
  assert.match(page, /\| declare and serve a procedure \| \d+ \| \d+ \| \d+ \| \d+ \| \d+ \|/)
})

test('a part that nobody knows is refused', () => {
  assert.throws(() => regenerated('<!-- made: rolls -->\n<!-- end -->'), /there is no part rolls/)
})

test('imports, comments and blank lines do not count; brackets do', () => {
  const code = `import 'a'\nimport {\n  type B,\n  c,\n} from "b"\n\n/** d\n * e */\n// f\nconst g = [\n  'import', // h\n]\nawait import('i')\n`
  assert.deepEqual(countedLines(code), ['const g = [', "  'import', // h", ']', "await import('i')"])
})
