import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { runGenerate } from '../src/generate/command.ts'
import { withRoutes } from '../src/generate/kong/kong-file.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const CONFIG = `import { defineSystem } from '@tsmicro/cli'

export default defineSystem({
  infra: ['nats'],
  services: {
    shop: {
      entry: 'services/shop/main.ts',
      contract: 'contracts/shop.ts',
      recorded: 'contracts/shop.json',
      port: 8001,
      passEnv: ['SHOP_OWNER'],
      env: system => ({ NATS_URL: system.nats.url }),
    },
  },
  gateway: { entry: 'gateway.ts', config: 'kong.yml' },
  generators: ['tools/permissions.ts'],
})
`
const GENERATOR = `export const generate = async ({ describe, services }) => {
  const [{ service, permissions, streams, env }] = await describe()
  const text = JSON.stringify([service, permissions.user, streams.length, env.NATS_URL, services[0].prefix])
  return [{ path: 'deploy/shop.json', text }]
}
`

test('routes are replaced wherever they stand in their service; what would be lost is refused, and named', () => {
  const shop = { name: 'shop', prefix: '', exported: {} }
  const ignored = '_ignore: [&read { name: key-auth }]\nservices:\n'
  const first = withRoutes(`${ignored}  - routes: []\n    name: shop # mine\n    url: http://shop\n`, [shop])
  assert.match(
    first,
    /^ {2}- routes:\n {6}- name: shop\.health\.ready$[\s\S]*^ {4}name: shop # mine\n {4}url: http:\/\/shop$/m,
  )
  assert.equal(withRoutes(first, [shop]), first)
  for (const [entry, message] of [
    ['  - { name: shop, url: "http://shop", routes: [] }\n', /line 3 is written in braces/],
    ['  - name: shop\n    routes:\n      - name: shop.old\n      - name: by-hand\n', /"by-hand" is not one of them/],
    ['  - name: shop\n    routes:\n      - paths: [/]\n', /"" is not one of them/],
    ['  - name: shop\n    ? routes\n    : []\n', /in a form that cannot be edited/],
  ] as const)
    assert.throws(() => withRoutes(ignored + entry, [shop]), message)
})

async function project(t: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'generate-'))
  t.after(() => rm(parent, { recursive: true, force: true }))
  const create = join(ROOT, 'packages/create/bin/create-tsmicro.js')
  await promisify(execFile)(process.execPath, [create, 'shop', '--no-install'], { cwd: parent })
  const cwd = join(parent, 'shop')
  await symlink(join(ROOT, 'node_modules'), join(cwd, 'node_modules'))
  await mkdir(join(cwd, 'tools'))
  for (const [path, text] of [
    ['tsmicro.config.ts', CONFIG],
    ['tools/permissions.ts', GENERATOR],
    ['gateway.ts', ''],
    [
      'kong.yml',
      '_ignore: [&read { name: key-auth }]\nservices:\n  - name: other # by hand\n    url: http://other:80\n',
    ],
  ] as const)
    await writeFile(join(cwd, path), text)
  return cwd
}

test('generate writes what follows from the definition, and --check only looks', async t => {
  const cwd = await project(t)
  const generate = async (...args: string[]) => {
    let said = ''
    const code = await runGenerate(args, join(cwd, 'tsmicro.config.ts'), text => {
      said += text
    })
    return [code, said] as const
  }
  const read = (path: string) => readFile(join(cwd, path), 'utf8')
  const [stale, complaint] = await generate('--check')
  assert.equal(stale, 1)
  for (const path of ['kong.yml', 'deploy/shop.json'])
    assert.ok(complaint.includes(`${path} is out of step`), complaint)
  await assert.rejects(read('deploy/shop.json'), { code: 'ENOENT' })

  assert.deepEqual(await generate(), [0, '~ kong.yml\n~ deploy/shop.json\ncontracts/shop.json recorded\n'])
  const kong = await read('kong.yml')
  for (const part of [
    '- name: other # by hand',
    '- name: shop-service',
    'url: http://shop:8001',
    '"~/shop/shop/greet/[^/]+$"',
  ])
    assert.ok(kong.includes(part), `${part} in ${kong}`)
  assert.deepEqual(JSON.parse(await read('deploy/shop.json')), ['shop', 'shop', 0, 'nats://nowhere:4222', '/shop'])
  assert.match(await read('contracts/shop.json'), /"shop\.greet"/)
  assert.deepEqual(await generate('--check'), [0, '2 files are in step\n'])

  // It sees what it would see when it is started, and no more.
  Object.assign(process.env, { SHOP_OWNER: 'Ada', SHOP_OTHER: 'Bob' })
  const program = "console.log('no service', process.env.SHOP_OWNER, process.env.SHOP_OTHER)\n"
  await writeFile(join(cwd, 'services/shop/main.ts'), program)
  await assert.rejects(
    generate(),
    /shop does not say what it is: .*main\.ts has to reach runService.*no service Ada undefined/,
  )
  await writeFile(join(cwd, 'kong.yml'), 'services: [')
  await assert.rejects(generate(), { name: 'CliError', message: /^kong\.yml: / })
  await assert.rejects(generate('--force'), { name: 'UsageError' })
})
