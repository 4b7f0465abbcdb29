import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Example, examplesOf } from './examples/docstrings.ts'
import { type Exported, namesOf, publicExports } from './examples/exports.ts'
import { programOf } from './examples/program.ts'
import * as setting from './examples/setting.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SETTING = join(ROOT, 'tests/documentation/examples/setting.ts')

/** What is not there where this runs; the examples that need it are compiled all the same. */
const NEEDS: readonly (readonly [what: string, named: RegExp])[] = [
  ['a process', /\brunService\(/],
  ['a folder of the machine', /'\/etc\//],
  ['MongoDB', /\bconnect\(\)\nawait mongo\.|\bblogs\.findOne\(/],
  ['PostgreSQL', /\bpostgres\.connect\(\)/],
  ['nats-server', /'nats:\/\//],
  ['a controller', /\bgroup\.implement\(/],
  ['a gateway', /'http:\/\/localhost/],
]

const examples = examplesOf(ROOT, 'packages/tsmicro/src')
let directory = ''
before(async () => {
  await mkdir(join(ROOT, '.tmp'), { recursive: true })
  directory = await mkdtemp(join(ROOT, '.tmp', 'examples-'))
  const shared = sharedNames()
  for (const [index, example] of examples.entries()) {
    const code = `// ${example.place}\n${programOf(example, new Map([...ownNames(example), ...shared]))}`
    await writeFile(fileOf(index), code)
  }
})
after(() => rm(directory, { recursive: true, force: true }))

test('the examples of the docstrings compile against what is exported', async () => {
  assert.ok(examples.length > 30, 'the examples are not found')
  const tsconfig = join(directory, 'tsconfig.json')
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
  await writeFile(tsconfig, JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }))
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  try {
    execFileSync(process.execPath, [tsc, '-p', tsconfig], { cwd: directory, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    assert.fail(placed(String((error as { stdout?: unknown }).stdout)))
  }
})

test('those that need no server do what they say', async t => {
  await setting.open()
  t.after(setting.close)
  let ran = 0
  for (const [index, { code, place }] of examples.entries()) {
    if (NEEDS.some(([, named]) => named.test(code))) continue
    ran++
    const { default: run } = (await import(fileOf(index))) as { default: () => Promise<void> }
    if (/^throw /m.test(code)) await assert.rejects(run, place)
    else await assert.doesNotReject(run, place)
  }
  const rest = NEEDS.map(([what, named]) => `${what} ${examples.filter(({ code }) => named.test(code)).length}`)
  t.diagnostic(`${examples.length} examples in docstrings compiled, ${ran} run; the others need: ${rest.join(', ')}`)
  assert.ok(ran > 25)
})

const fileOf = (index: number) => join(directory, `example-${index}.ts`)

/** What every example may name; the setting first. */
function sharedNames(): Map<string, Exported> {
  const names = new Map(publicExports(ROOT))
  names.set('Type', { isType: false, from: 'typebox' })
  names.set('randomUUID', { isType: false, from: 'node:crypto' })
  for (const [name, isType] of namesOf(SETTING)) names.set(name, { isType, from: relative(directory, SETTING) })
  for (const name of Object.keys(setting)) names.set(name, { isType: false, from: relative(directory, SETTING) })
  return names
}

/** What the example's own file exports, though perhaps no entry does. */
function ownNames({ file }: Example): Map<string, Exported> {
  const from = relative(directory, join(ROOT, file))
  return new Map([...namesOf(join(ROOT, file))].map(([name, isType]) => [name, { isType, from }]))
}

/** tsc's output with the places of the docstrings. */
function placed(output: string): string {
  return output.replaceAll(/example-(\d+)\.ts/g, (_, index) => examples[Number(index)]?.place ?? '')
}
