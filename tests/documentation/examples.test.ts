import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createPostgresDatabase, postgresDatabaseUrl } from '@tsmicro/infra'
import { share } from '../support/size.ts'
import { namesOf, publicExports } from './examples/exports.ts'
import { printedBy, programs } from './examples/printed.ts'
import { examples, SETTING, writePrograms } from './examples/programs.ts'
import * as setting from './examples/setting.ts'
// Its tests are of those here.
import '../../examples/12-testing.test.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** It ends its process, so it runs in a separate one. */
const PROCESS = /\brunService\(/

let directory = ''
let files: readonly string[] = []
before(async () => {
  await mkdir(join(ROOT, '.tmp'), { recursive: true })
  directory = await mkdtemp(join(ROOT, '.tmp', 'examples-'))
  await mkdir(join(directory, 'migrations'))
  const table = 'CREATE TABLE users (id text PRIMARY KEY, email text NOT NULL UNIQUE);\n'
  await writeFile(join(directory, 'migrations', '0001_users.sql'), table)
  files = await writePrograms(join(directory, 'programs'))
})
after(async () => {
  await setting.close()
  await rm(directory, { recursive: true, force: true })
})

test('the examples do what they say', async t => {
  const found = namesOf(SETTING)
  assert.deepEqual(
    Object.keys(setting).filter(name => !found.has(name)),
    [],
    'names of the setting that no example can use',
  )
  await setting.open(pathToFileURL(join(directory, 'migrations/')))
  // By hand a different tenth runs each time; all of them are compiled.
  for (const [index, { code, place }] of share([...examples.entries()])) {
    const file = files[index] ?? ''
    if (PROCESS.test(code)) {
      assert.equal(await asProcess(file), 0, place)
      continue
    }
    const { default: run } = (await import(file)) as { default: () => Promise<void> }
    if (/^throw /m.test(code)) await assert.rejects(run, place)
    else await assert.doesNotReject(run, place)
  }
  t.diagnostic(`${examples.length} examples in docstrings`)
})

// They use the servers of the setting.
test('the programs in examples/ print what they say', async () => {
  assert.ok(programs.length > 10)
  const { DATABASE_URL = '' } = process.env
  // Each service has a database of its own.
  await createPostgresDatabase(DATABASE_URL, 'programs')
  process.env.DATABASE_URL = postgresDatabaseUrl(DATABASE_URL, 'programs')
  for (const program of programs) {
    const sorted = (lines: readonly string[]) => (program.anyOrder ? lines.toSorted() : lines)
    assert.deepEqual(sorted(await printedBy(program)), sorted(program.prints), program.path)
  }
  process.env.DATABASE_URL = DATABASE_URL
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
  const args = ['--input-type=module', '--eval', program]
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.once('data', () => child.kill('SIGTERM'))
  const [code] = await once(child, 'exit')
  return code
}
