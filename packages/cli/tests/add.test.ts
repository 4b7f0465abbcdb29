import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { runAdd } from '../src/add/command.ts'
import { addToConfig } from '../src/add/edit-config.ts'
import { typeboxAdded } from '../src/add/procedure.ts'
import { parseSource } from '../src/add/source.ts'
import { writeAll } from '../src/add/written.ts'
import { loadConfig } from '../src/config.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const addition = {
  service: 'orders',
  members: ["entry: 'services/orders/main.ts'"],
  env: ['A: system.nats.url'],
  infra: ['nats', 'postgres'],
}
const entry = (port: number, indent = '    ') =>
  [
    'orders: {',
    "  entry: 'services/orders/main.ts',",
    `  port: ${port},`,
    '  env: system => ({ A: system.nats.url }),',
    '},',
  ].join(`\n${indent}`)

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
    `export default defineSystem({ infra: ['nats', 'postgres'], services: {\n  ${entry(8001, '  ')}\n} })\n`,
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

test('what an entry uses of the supervisor is imported, and long environments have a line for each variable', () => {
  const before =
    "import { defineSystem } from '@tsmicro/cli'\n\nexport default defineSystem({ infra: ['nats'], services: {} })\n"
  const env = ['A: keptSecret(system.dataDir, "a")', `B: '${'b'.repeat(100)}'`]
  const edited = addToConfig('tsmicro.config.ts', before, {
    ...addition,
    service: 'mail-box',
    env,
    uses: ['keptSecret'],
  })
  assert.match(edited?.text ?? '', /^import \{ defineSystem, keptSecret \} from '@tsmicro\/cli'$/m)
  assert.match(
    edited?.text ?? '',
    /^ {2}'mail-box': \{$[\s\S]*^ {4}env: system => \(\{\n {6}A: .*,\n {6}B: 'b+',\n {4}\}\),$/m,
  )
})

/** The command, in this process: starting one takes longer than what it does. */
async function add(cwd: string, ...args: string[]): Promise<string> {
  let said = ''
  await runAdd(args, join(cwd, 'tsmicro.config.ts'), text => {
    said += text
  })
  return said
}

const run = (cwd: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { cwd })

/** Every file of a project, but for what is installed. */
async function contentsOf(cwd: string): Promise<Readonly<Record<string, string>>> {
  const paths = globSync('{*.ts,contracts/**/*.*,services/**/*.*}', { cwd })
  return Object.fromEntries(await Promise.all(paths.map(async path => [path, await readFile(join(cwd, path), 'utf8')])))
}

test('what was added passes its tests; adding it twice, or over other files, changes nothing', async t => {
  const cwd = await project(t)
  const tsmicro = (...args: string[]) => add(cwd, ...args)
  // Words of the language, and of what is written.
  const names = process.env.CI ? ['mail-box', 'class', 'contract', 'create-module', 'a-', 'x--y'] : ['class']
  for (const name of names) await tsmicro('service', name)
  const additions = [
    ['service', 'items', '--mongo', '--no-install'],
    ['service', 'orders', '--postgres', '--no-install'],
    ['procedure', 'orders/placeAgain'],
    ['event', 'orders/placed', '--subject', 'order.placed'],
    ['procedure', 'class/delete'],
    ['event', 'class/sentTwice'],
  ]
  for (const args of additions) await tsmicro(...args)
  const { config } = await loadConfig(join(cwd, 'tsmicro.config.ts'))
  assert.deepEqual(Object.keys(config.services), ['shop', ...names, 'items', 'orders'])
  assert.equal(config.services.orders?.port, 8003 + names.length)
  assert.deepEqual(config.infra, ['nats', 'documents', 'postgres'])
  const { stdout: tested } = await run(cwd, '--test', 'services/**/*.test.ts')
  assert.match(tested, new RegExp(`pass ${3 + names.length + 4}\n`))

  const before = await contentsOf(cwd)
  for (const args of additions)
    assert.match(await tsmicro(...args), /has (a service )?\S+ already: nothing was changed\n$/)
  assert.deepEqual(await contentsOf(cwd), before)

  await writeFile(join(cwd, 'services/orders/place.test.ts'), '// mine\n')
  const mine = await contentsOf(cwd)
  const refused = (...args: string[]) =>
    tsmicro(...args).then(
      () => assert.fail(args.join(' ')),
      ({ name, message }: Error) => `${name} ${message}`,
    )
  assert.match(await refused('procedure', 'orders/place'), /^CliError services\/orders\/place\.test\.ts exist already/)
  assert.match(await refused('procedure', 'nobody/place'), /^CliError there is no service nobody/)
  for (const args of [
    [],
    ['procedure', 'orders'],
    ['procedure', 'orders/Place'],
    ['procedure', 'orders/pay', '--postgres'],
    ['event', 'orders/paid', '--subject', 'Paid'],
    ['service', 'Orders'],
    ['service', 'gateway'],
    ['service', 'observer'],
    ['service', 'app', '--postgres'],
    ['service', 'both', '--postgres', '--mongo'],
    ['service', 'x', '--mysql'],
  ])
    assert.match(await refused(...args), /^UsageError /)
  assert.deepEqual(await contentsOf(cwd), mine)
})

test('procedures and events are added where the structure of a source says, whatever its form and comments', async t => {
  const cwd = await project(t)
  const tsmicro = (...args: string[]) => add(cwd, ...args)
  const [contract, handlers] = [join(cwd, 'contracts/shop.ts'), join(cwd, 'services/shop/handlers.ts')]
  await writeFile(
    contract,
    `import { contract, procedure as proc } from 'tsmicro/contract'
export const other = contract('shop', {})
export const shopContract = contract('shop', { greet: proc({ nats: 'greet', access: 'open' }) /* the first, and { only } */ })
`,
  )
  await writeFile(
    handlers,
    `import { implement } from 'tsmicro'
import { shopContract } from '../../contracts/shop.ts'
// implement(shopContract, { … }) is what follows.
export const greetingHandlers = implement(shopContract, { greet: () => undefined })
`,
  )
  await assert.rejects(tsmicro('procedure', 'shop/sell'), /the contracts other, shopContract: say which/)
  await tsmicro('procedure', 'shop/sell', '--contract', 'shopContract')
  await tsmicro('event', 'shop/sold', '--contract', 'shopContract')
  const text = await readFile(contract, 'utf8')
  for (const part of [
    '/* the first, and { only } */',
    'contract, event, procedure as proc, procedure',
    "import Type from 'typebox'",
  ])
    assert.ok(text.includes(part), `${part} in ${text}`)
  await rm(join(cwd, 'services/shop/shop.test.ts'))
  const { stdout } = await run(cwd, '--test', 'services/**/*.test.ts')
  assert.match(stdout, /pass 2\n/)
  await writeFile(handlers, 'export const greetingHandlers = []\n')
  await assert.rejects(tsmicro('procedure', 'shop/buy', '--contract', 'shopContract'), /has 0 places with implement/)
  assert.equal(await readFile(contract, 'utf8'), text)
})

test('typebox is imported only where it is not yet, however that is written', () => {
  const added = (text: string) => typeboxAdded(parseSource('a.ts', text)).length
  for (const text of [
    'import Type from "typebox"',
    "import { Type } from 'typebox'",
    "import * as Type from 'typebox'",
  ])
    assert.equal(added(text), 0, text)
  for (const text of ["import { Type as T } from 'typebox'", "// import Type from 'typebox'", ''])
    assert.equal(added(text), 1, text)
})

test('a contract and its handlers may be in one file', async t => {
  const cwd = await project(t)
  const config = join(cwd, 'tsmicro.config.ts')
  const file = 'services/shop/handlers.ts'
  await writeFile(config, (await readFile(config, 'utf8')).replace("'contracts/shop.ts'", `'${file}'`))
  await writeFile(
    join(cwd, file),
    `import { implement } from 'tsmicro'
import { contract } from 'tsmicro/contract'
export const shopContract = contract('shop', {})
export const handlers = implement(shopContract, {})
`,
  )
  await add(cwd, 'procedure', 'shop/sell')
  await add(cwd, 'event', 'shop/sold')
  const text = await readFile(join(cwd, file), 'utf8')
  for (const part of ['sell: procedure({', 'sell: ({ input }) =>', 'sold: event({'])
    assert.ok(text.includes(part), `${part} in ${text}`)
  const announcer = await readFile(join(cwd, 'services/shop/announce-sold.ts'), 'utf8')
  assert.match(announcer, /^import \{ shopContract \} from '\.\/handlers\.ts'$/m)
})

test('nothing is written if a file has changed since it was read', async t => {
  const root = await mkdtemp(join(tmpdir(), 'add-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  await writeFile(join(root, 'a.ts'), '// theirs\n')
  const edited = [{ file: 'a.ts', before: '', text: '// mine\n' }]
  const about = { root } as Parameters<typeof writeAll>[0]
  await assert.rejects(
    writeAll(about, { files: { 'b.ts': '' }, edited }, () => {}),
    { name: 'CliError', message: /^a\.ts has changed meanwhile/ },
  )
  assert.deepEqual(globSync('*', { cwd: root }), ['a.ts'])
})
