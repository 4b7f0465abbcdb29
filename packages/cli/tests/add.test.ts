import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { addToConfig } from '../src/add/edit-config.ts'
import { loadConfig } from '../src/config.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const addition = {
  service: 'orders',
  entry: 'services/orders/main.ts',
  env: '{ A: system.nats.url }',
  infra: ['nats', 'postgres'],
}
const entry = (port: number) =>
  `'orders': { entry: 'services/orders/main.ts', port: ${port}, env: system => ({ A: system.nats.url }) },`

for (const [what, before, after] of [
  [
    'beside others',
    "export default defineSystem({\n  infra: ['nats'],\n  services: {\n    // the first\n    shop: { entry: 'a.ts', port: 8004 },\n  },\n})\n",
    `export default defineSystem({\n  infra: ['nats', 'postgres'],\n  services: {\n    // the first\n    shop: { entry: 'a.ts', port: 8004 },\n    ${entry(8005)}\n  },\n})\n`,
  ],
  [
    'after one without a comma, in a variable',
    "const system: SystemConfig = defineSystem({\n  infra: ['postgres', 'nats'],\n  services: {\n    shop: { entry: 'a.ts', port: 8001 }\n  }\n})\n",
    `const system: SystemConfig = defineSystem({\n  infra: ['postgres', 'nats'],\n  services: {\n    shop: { entry: 'a.ts', port: 8001 },\n    ${entry(8002)}\n  }\n})\n`,
  ],
  [
    'after one without a comma, but with one in a comment',
    "export default defineSystem({\n  infra: ['postgres', 'nats'],\n  services: {\n    shop: { entry: 'a.ts', port: 8001 } // first, and only\n  },\n})\n",
    `export default defineSystem({\n  infra: ['postgres', 'nats'],\n  services: {\n    shop: { entry: 'a.ts', port: 8001 }, // first, and only\n    ${entry(8002)}\n  },\n})\n`,
  ],
  [
    'as the first one, where everything is on one line',
    'export default defineSystem({ infra: [], services: {} })\n',
    `export default defineSystem({ infra: ['nats', 'postgres'], services: {\n  ${entry(8001)}\n} })\n`,
  ],
] as const)
  test(`a service is added ${what}`, () => {
    const edited = addToConfig('tsmicro.config.ts', before, addition)
    assert.equal(edited?.text, after)
    assert.equal(addToConfig('tsmicro.config.ts', after, addition), undefined)
  })

test('a configuration that is put together elsewhere is left alone', () => {
  for (const text of [
    'export default {}',
    'export default defineSystem({ infra, services })',
    'export default defineSystem(',
  ])
    assert.throws(() => addToConfig('tsmicro.config.ts', text, addition), { name: 'CliError' })
})

async function project(t: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'add-'))
  t.after(() => rm(parent, { recursive: true, force: true }))
  const create = join(ROOT, 'packages/create/bin/create-tsmicro.js')
  await promisify(execFile)(process.execPath, [create, 'shop', '--no-install'], { cwd: parent })
  await symlink(join(ROOT, 'node_modules'), join(parent, 'shop', 'node_modules'))
  return join(parent, 'shop')
}

test('services that were added pass their tests, and adding one twice changes nothing', async t => {
  const cwd = await project(t)
  const tsmicro = (...args: string[]) =>
    promisify(execFile)(process.execPath, [join(ROOT, 'packages/cli/bin/tsmicro.js'), ...args], { cwd })
  // Words of the language, and of what is written.
  const names = ['mail-box', 'class', 'contract', 'create-module', 'a-', 'x--y']
  for (const name of names) await tsmicro('add', 'service', name)
  await tsmicro('add', 'service', 'items', '--postgres', '--no-install')
  const { stdout } = await tsmicro('add', 'service', 'orders', '--postgres', '--no-install')
  assert.match(stdout, /~ tsmicro\.config\.ts: port 8009\n$/)
  const { config } = await loadConfig(join(cwd, 'tsmicro.config.ts'))
  assert.deepEqual(Object.keys(config.services), ['shop', ...names, 'items', 'orders'])
  const { stdout: tested } = await promisify(execFile)(process.execPath, ['--test', 'services/**/*.test.ts'], { cwd })
  assert.match(tested, /pass 9\n/)

  const files = ['tsmicro.config.ts', 'services/orders/module.ts']
  await writeFile(join(cwd, 'services/orders/module.ts'), '// mine\n')
  const before = await Promise.all(files.map(file => readFile(join(cwd, file), 'utf8')))
  const again = await tsmicro('add', 'service', 'orders', '--postgres')
  assert.match(again.stdout, /has a service orders already: nothing was changed/)
  assert.deepEqual(await Promise.all(files.map(file => readFile(join(cwd, file), 'utf8'))), before)
  for (const args of [
    ['add'],
    ['add', 'procedure', 'x'],
    ['add', 'service', 'Orders'],
    ['add', 'service', 'gateway'],
    ['add', 'service', 'app', '--postgres'],
    ['add', 'service', 'x', '--mysql'],
  ])
    await assert.rejects(tsmicro(...args), { code: 2 })
})
