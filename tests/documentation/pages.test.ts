import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Exported, namesOf, publicExports } from './examples/exports.ts'
import { withoutTexts } from './examples/program.ts'
import { examples, writePrograms } from './examples/programs.ts'
import { blocksOf, fileOf, sourceOf } from './markdown.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SETTING = join(ROOT, 'tests/documentation/examples/setting.ts')
const PAGES = globSync(['README.md', 'docs/*.md', '{packages,services,kong}/**/README.md'], {
  cwd: ROOT,
  exclude: path => path.includes('node_modules'),
})

// Together, as the compiler spends most of its time on what they import.
test('every TypeScript block of every page compiles, and every example in a docstring', async t => {
  await mkdir(join(ROOT, '.tmp'), { recursive: true })
  const directory = await mkdtemp(join(ROOT, '.tmp', 'pages-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const places = new Map<string, string>()
  for (const page of PAGES) {
    // Pages that are generated from programs are compiled with these: see tools/glance.ts.
    const text = readFileSync(join(ROOT, page), 'utf8').replaceAll(/<!-- made: [\s\S]*?<!-- end -->/g, blank)
    for (const [index, block] of blocksOf(page, text).entries()) {
      if (block.language !== 'ts' || sourceOf(block)) continue
      const named = fileOf(block)
      const file = join(page.replace(/\.md$/, ''), named ?? `block-${index}.ts`)
      const path = join(directory, file)
      await mkdir(dirname(path), { recursive: true })
      // On the same line as the first statement, so that the compiler's line numbers are the page's.
      const imports = named ? '' : importsOf(block.code, namesFor(page, dirname(path))).join('; ')
      await writeFile(path, imports === '' ? block.code : `${imports}; ${block.code}`)
      places.set(file, block.place)
    }
  }
  assert.ok(places.size > 15, 'no blocks were found')
  assert.ok(examples.length > 30, 'no examples were found')
  for (const [index, file] of (await writePrograms(join(directory, 'docstrings'))).entries())
    places.set(relative(directory, file), examples[index]?.place ?? '')
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
  await writeFile(
    join(directory, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['**/*.ts'], exclude: [] }),
  )
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  try {
    // On several threads it takes twice the processor time, and other tests run meanwhile.
    const args = [tsc, '-p', directory, '--pretty', 'false', '--singleThreaded']
    execFileSync(process.execPath, args, { cwd: directory, stdio: 'pipe' })
  } catch (error) {
    const output = String((error as { stdout?: unknown }).stdout)
    assert.fail(output.replaceAll(/^[^(\n]+(?=\()/gm, file => `${places.get(file) ?? file} `))
  }
})

test('docs/answers.md: three answers beyond JSON take at most 30 lines', () => {
  const page = readFileSync(join(ROOT, 'docs/answers.md'), 'utf8')
  const service = blocksOf('docs/answers.md', page).find(block => fileOf(block) === 'office/office.ts')
  const lines = (service?.code ?? '').split('\n').filter(line => line.trim() !== '' && !line.startsWith('//'))
  assert.ok(lines.length > 10 && lines.length <= 30, `${lines.length} lines`)
})

test('docs/tutorial.md: a service with less than a hundred lines', () => {
  const page = readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8')
  const files = blocksOf('docs/tutorial.md', page).filter(fileOf)
  const lines = files.flatMap(({ code }) => code.split('\n').filter(line => !/^(\/\/|--|import |$)/.test(line.trim())))
  assert.ok(files.length > 5 && lines.length < 100, `${lines.length} lines in ${files.length} files`)
})

test('what pages show of a file of the repository is in it', () => {
  const shown = PAGES.flatMap(page => blocksOf(page, readFileSync(join(ROOT, page), 'utf8')).filter(sourceOf))
  assert.ok(shown.length > 0)
  for (const block of shown) {
    const text = block.code.slice(block.code.indexOf('\n') + 1)
    assert.ok(readFileSync(join(ROOT, sourceOf(block) ?? ''), 'utf8').includes(text), block.place)
  }
})

const blank = (text: string) => text.replaceAll(/[^\n]/g, '')

/**
 * The names that a page's blocks may use without importing them: the page's prelude, then the setting of all examples, then our entries.
 */
function namesFor(page: string, folder: string): ReadonlyMap<string, Exported> {
  const prelude = join(ROOT, `tests/documentation/preludes/${preludeOf(page)}.ts`)
  const from = (file: string) =>
    [...namesOf(file)].map(([name, isType]) => [name, { isType, from: relative(folder, file) }] as const)
  return new Map([...publicExports(ROOT), ...from(SETTING), ...(existsSync(prelude) ? from(prelude) : [])])
}

/** `docs/caching.md` → `caching`, `packages/gateway/README.md` → `packages-gateway`. */
const preludeOf = (page: string) =>
  page
    .replace(/^docs\//, '')
    .replace(/(\/README)?\.md$/, '')
    .replaceAll('/', '-')

function importsOf(code: string, known: ReadonlyMap<string, Exported>): string[] {
  const declared = [
    ...code.matchAll(/^(?:export )?(?:const|function|class|interface|type) (\w+)/gm),
    ...[...code.matchAll(/^import (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) => [...list.matchAll(/(\w+)/g)]),
  ]
  const own = new Set(declared.map(([, name]) => name))
  const used = new Set(withoutTexts(code).match(/(?<![.\w#])[A-Za-z]\w*(?!\w*:)/g))
  return [...used].flatMap(name => {
    const found = own.has(name) ? undefined : known.get(name)
    return found ? [`import { ${found.isType ? 'type ' : ''}${name} } from '${found.from}'`] : []
  })
}
