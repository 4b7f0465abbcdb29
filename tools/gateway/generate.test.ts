import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { parse } from 'yaml'
import { fixture, problemsOf } from '../check/fixture.ts'
import { gateway } from '../check/gateway.ts'
import { kongFiles } from './files.ts'
import { withRoutes } from './kong-file.ts'
import { publicRoutesOf } from './public-routes.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = fileURLToPath(new URL('../gateway.ts', import.meta.url))
const KONG = readFileSync(join(ROOT, 'kong/kong.yml'), 'utf8')

const things = contract('shop', {
  find: procedure({ http: 'GET /thing/:id', access: 'key', params: Type.Object({ id: Type.String() }) }),
  teaser: procedure({ http: 'GET /teaser.json', access: 'open' }),
  make: procedure({ http: 'POST /thing', access: 'user' }),
  count: procedure({ nats: 'thing.count', access: 'internal' }),
  audit: procedure({ http: 'GET /audit', access: 'internal' }),
})
const SHOP = { name: 'shop', prefix: '/shop', exported: { things, other: 'not a contract' } }

test('kong files are in step with the contracts', () => {
  for (const { path, text, wanted } of kongFiles(ROOT)) assert.equal(text, wanted, `${path}: tsmicro gateway generate`)
})

test('routes: READ for GET, WRITE for others, none for what is open; what is internal or on NATS alone is not there', () => {
  const routes = publicRoutesOf(SHOP).map(({ name, method, path, permission }) => [name, method, path, permission])
  assert.deepEqual(routes, [
    ['shop.find', 'GET', '/thing/:id', 'READ'],
    ['shop.make', 'POST', '/thing', 'WRITE'],
    ['shop.health.ready', 'GET', '/health/ready', 'READ'],
    ['shop.openapi.json', 'GET', '/openapi.json', 'READ'],
    ['shop.teaser', 'GET', '/teaser.json', undefined],
    ['shop.health', 'GET', '/health', undefined],
  ])
})

test('two routes that match the same request must ask for the same permission', () => {
  const open = contract('shop', { mine: procedure({ http: 'GET /thing/mine', access: 'open' }) })
  assert.throws(
    () => publicRoutesOf({ ...SHOP, exported: { things, open } }),
    /shop\.find and shop\.mine match the same requests but need different permissions/,
  )
  const alike = contract('shop', { mine: procedure({ http: 'GET /thing/mine', access: 'key' }) })
  assert.doesNotThrow(() => publicRoutesOf({ ...SHOP, exported: { things, alike } }))
})

const TEXT = `_format_version: "3.0"
_ignore: [&read { name: r }, &write { name: w }]
services:
  - name: shop-service # by hand
    # <routes of shop>
    routes: old
    # </routes of shop>
    retries: 1
plugins: []
`

test('what stands outside of the marks stays, twice written is once written', () => {
  const once = withRoutes(TEXT, [SHOP])
  assert.equal(withRoutes(once, [SHOP]), once)
  const [service] = parse(once).services
  assert.equal(service.retries, 1)
  assert.match(once, /name: shop-service # by hand\n/)
  assert.deepEqual(service.routes[0], {
    name: 'shop.find',
    paths: ['~/shop/thing/[^/]+$'],
    methods: ['GET'],
    strip_path: false,
    plugins: [{ name: 'r' }],
  })
  assert.equal(service.routes[4].plugins, undefined)
  assert.deepEqual(service.routes[4].paths, ['~/shop/teaser[.]json$'])
})

for (const [what, text, message] of [
  ['no marks', 'services: []\n', /^Error: 0 pairs of the marks/],
  ['marks twice', TEXT + TEXT, /^Error: 2 pairs of the marks/],
  ['a mark that is not closed', TEXT.replace('</routes', '<routes'), /^Error: 0 pairs/],
  [
    'a service that is unknown',
    TEXT.replaceAll('routes of shop', 'routes of gone'),
    /^Error: there is no service gone/,
  ],
] as const)
  test(`is refused: ${what}`, () => assert.throws(() => withRoutes(text, [SHOP]), message))

test('npm run check says which file is out of step', async t => {
  assert.deepEqual(await problemsOf(gateway, t, { 'kong/kong.yml': KONG }), [])
  const stale = { 'kong/a.yml': KONG, 'kong/b.yml': KONG.replace('auth.signUp', 'auth.signOn') }
  assert.deepEqual(await problemsOf(gateway, t, stale), [
    'kong/b.yml is out of step: npx tsmicro gateway generate writes it anew',
  ])
})

function run(t: TestContext, text: string, ...args: string[]) {
  const root = fixture(t, { 'kong/kong.yml': text })
  const options = ['--conditions=@tsmicro/source', MAIN, ...args, '--root', root]
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { encoding: 'utf8' })
  return { status, output: stdout + stderr, kong: readFileSync(join(root, 'kong/kong.yml'), 'utf8') }
}

test('the command: --check only looks, generate mends, wrong arguments end with 2', t => {
  const stale = KONG.replace('methods: [GET]', 'methods: [GET, PUT]')
  const checked = run(t, stale, 'generate', '--check')
  assert.deepEqual([checked.status, checked.kong], [1, stale])
  assert.match(checked.output, /kong\/kong\.yml is out of step/)
  const written = run(t, stale, 'generate')
  assert.deepEqual([written.status, written.kong], [0, KONG])
  assert.deepEqual(run(t, KONG, 'generate', '--check').status, 0)
  for (const args of [[], ['make'], ['generate', '--force']]) assert.equal(run(t, KONG, ...args).status, 2)
  assert.match(run(t, 'services: []\n', 'generate').output, /^gateway: kong\/kong\.yml: 0 pairs of the marks/)
})
