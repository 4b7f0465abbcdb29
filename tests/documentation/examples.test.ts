import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { share } from '../support/size.ts'
import { type Example, examplesOf } from './examples/docstrings.ts'
import { type Exported, namesOf, publicExports } from './examples/exports.ts'
import { programOf } from './examples/program.ts'
import * as setting from './examples/setting.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SETTING = join(ROOT, 'tests/documentation/examples/setting.ts')

/** It ends its process, so it runs in a separate one. */
const PROCESS = /\brunService\(/

const examples = examplesOf(ROOT, 'packages/tsmicro/src')
let directory = ''
before(async () => {
  await mkdir(join(ROOT, '.tmp'), { recursive: true })
  directory = await mkdtemp(join(ROOT, '.tmp', 'examples-'))
  for (const folder of ['programs', 'migrations']) await mkdir(join(directory, folder))
  const table = 'CREATE TABLE users (id text PRIMARY KEY, email text NOT NULL UNIQUE);\n'
  await writeFile(join(directory, 'migrations', '0001_users.sql'), table)
  const shared = sharedNames()
  for (const [index, example] of examples.entries()) {
    const code = `// ${example.place}\n${programOf(example, new Map([...ownNames(example), ...shared]))}`
    await writeFile(fileOf(index), code)
  }
})
after(async () => {
  await setting.close()
  await rm(directory, { recursive: true, force: true })
})

test('the examples in docstrings compile against the exports', async () => {
  assert.ok(examples.length > 30, 'no examples were found')
  const tsconfig = join(directory, 'tsconfig.json')
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
  const project = { extends: '../../tsconfig.json', compilerOptions, include: ['programs/*.ts'] }
  await writeFile(tsconfig, JSON.stringify(project))
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  try {
    execFileSync(process.execPath, [tsc, '-p', tsconfig], { cwd: directory, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    assert.fail(placed(String((error as { stdout?: unknown }).stdout)))
  }
})

test('the examples do what they say', async t => {
  await setting.open(pathToFileURL(join(directory, 'migrations/')))
  // By hand a different tenth runs each time; all of them are compiled.
  for (const [index, { code, place }] of share([...examples.entries()])) {
    if (PROCESS.test(code)) {
      assert.equal(await asProcess(fileOf(index)), 0, place)
      continue
    }
    const { default: run } = (await import(fileOf(index))) as { default: () => Promise<void> }
    if (/^throw /m.test(code)) await assert.rejects(run, place)
    else await assert.doesNotReject(run, place)
  }
  t.diagnostic(`${examples.length} examples in docstrings`)
})

test('every name that an entry exports is used in an example', () => {
  const bare = [...publicExports(ROOT)].filter(
    ([name]) => !examples.some(({ code }) => new RegExp(`\\b${name}\\b`).test(code)),
  )
  assert.deepEqual(
    bare.map(([name, { from }]) => `${name} of ${from}`),
    [],
  )
})

/** Runs an example in its own process until it has started, then asks it to stop. */
async function asProcess(file: string): Promise<number | null> {
  const program = `const { default: run } = await import(${JSON.stringify(pathToFileURL(file))}); await run(); console.log('runs')`
  const args = ['--conditions=@tsmicro/source', '--input-type=module', '--eval', program]
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.once('data', () => child.kill('SIGTERM'))
  const [code] = await once(child, 'exit')
  return code
}

const fileOf = (index: number) => join(directory, 'programs', `example-${index}.ts`)

/** The names that every example may use; those of the setting come first. */
function sharedNames(): Map<string, Exported> {
  const names = new Map(publicExports(ROOT))
  names.set('Type', { isType: false, from: 'typebox' })
  names.set('randomUUID', { isType: false, from: 'node:crypto' })
  for (const [name, isType] of namesOf(SETTING))
    names.set(name, { isType, from: relative(join(directory, 'programs'), SETTING) })
  for (const name of Object.keys(setting))
    names.set(name, { isType: false, from: relative(join(directory, 'programs'), SETTING) })
  return names
}

/** What the example's own file exports, even if no entry does. */
function ownNames({ file }: Example): Map<string, Exported> {
  const from = relative(join(directory, 'programs'), join(ROOT, file))
  return new Map([...namesOf(join(ROOT, file))].map(([name, isType]) => [name, { isType, from }]))
}

/** tsc's output with the locations of the docstrings. */
function placed(output: string): string {
  return output.replaceAll(/programs\/example-(\d+)\.ts/g, (_, index) => examples[Number(index)]?.place ?? '')
}
