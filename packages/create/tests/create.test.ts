import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '..', '..', '..')

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'create-'))
  t.after(() => rm(made, { recursive: true, force: true }))
  return made
}

const create = (cwd: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, [join(ROOT, 'packages/create/bin/create-tsmicro.js'), ...args], { cwd })

// That it compiles against the packages, installs and starts: tests/packages.
test('what is made passes its test', async t => {
  const parent = await folder(t)
  const { stdout } = await create(parent, 'web-shop', '--no-install')
  assert.match(stdout, /web-shop is ready/)
  const project = join(parent, 'web-shop')
  // Instead of an installation.
  await symlink(join(ROOT, 'node_modules'), join(project, 'node_modules'))
  const run = await promisify(execFile)(process.execPath, ['--test', 'services/**/*.test.ts'], { cwd: project })
  assert.match(run.stdout, /pass 1\n/)
})

test('refuses a name that is not one, a folder with something in it, and what it does not know', async t => {
  const parent = await folder(t)
  await mkdir(join(parent, 'taken'))
  await writeFile(join(parent, 'taken', 'mine.txt'), 'mine')
  for (const [args, message] of [
    [[], 'one name is needed'],
    [['a', 'b'], 'one name is needed'],
    [['Shop'], '"Shop" is not a name'],
    [['../shop'], '"../shop" is not a name'],
    [['taken'], 'is not empty'],
    [['shop', '--frsh'], "Unknown option '--frsh'"],
    [['shop', '--packages', parent], 'has no tarball of tsmicro'],
  ] as const) {
    const refused = await create(parent, ...args).then(
      () => assert.fail(),
      (error: { code: number; stderr: string }) => error,
    )
    assert.deepEqual([refused.code, refused.stderr.includes(message)], [2, true], refused.stderr)
  }
  assert.deepEqual(await readdir(parent), ['taken'])
  assert.equal(await readFile(join(parent, 'taken', 'mine.txt'), 'utf8'), 'mine')
})
