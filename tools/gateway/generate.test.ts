// CI alone: `npm run check` generates the routes, and compares them, by hand.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { contract, file, procedure, stream, upload } from 'tsmicro/contract'
import Type from 'typebox'
import { parse } from 'yaml'
import { fixture, problemsOf } from '../check/fixture.ts'
import { gateway } from '../check/generated.ts'
import { kongFiles, SERVICES } from './files.ts'
import { withRoutes } from './kong-file.ts'
import { publicRoutesOf } from './public-routes.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = fileURLToPath(new URL('../gateway.ts', import.meta.url))
const KONG = readFileSync(join(ROOT, 'kong/kong.yml'), 'utf8')

const things = contract('shop', {
  find: procedure({ http: 'GET /thing/:id', access: 'key', input: Type.Object({ id: Type.String() }) }),
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

const changes = contract('shop', {
  put: procedure({ http: 'PUT /stock', access: 'user', idempotent: true }),
  book: procedure({ http: 'PUT /booking', access: 'user' }),
  drop: procedure({ http: 'DELETE /booking', access: 'user' }),
  pay: procedure({ http: 'POST /payment', access: 'user' }),
  patch: procedure({ http: 'PATCH /booking', access: 'user' }),
  next: procedure({ http: 'GET /ticket', access: 'user', idempotent: false }),
  look: procedure({ http: 'GET /stock', access: 'user' }),
})
const BOOKING = { ...SHOP, exported: { changes } }

test('sent once: what gateways would repeat and its contract does not call idempotent; reading is, unless it says not', () => {
  const once = publicRoutesOf(BOOKING).filter(({ sentOnce }) => sentOnce)
  assert.deepEqual(
    once.map(({ name }) => name),
    ['shop.book', 'shop.drop', 'shop.next'],
  )
})

test('what is sent once stands in a service of its own, which has to be there', () => {
  assert.throws(() => withRoutes(TEXT, [BOOKING]), /0 pairs of the marks "# <routes of shop sent once>.*retries: 0/)
  const once = `  - name: shop-service-once
    retries: 0
    # <routes of shop sent once>
    # </routes of shop sent once>
`
  const [often, single] = parse(
    withRoutes(
      TEXT.replace('plugins: []', () => `${once}plugins: []`),
      [BOOKING],
    ),
  ).services
  const names = (service: { routes: { name: string }[] }) => service.routes.map(({ name }) => name)
  assert.deepEqual(names(single), ['shop.book', 'shop.drop', 'shop.next'])
  assert.ok(names(often).includes('shop.pay') && !names(often).includes('shop.book'))
  const [, none] = parse(
    withRoutes(
      TEXT.replace('plugins: []', () => `${once}plugins: []`),
      [SHOP],
    ),
  ).services
  assert.deepEqual(none.routes, [])
})

const Item = Type.Object({ id: Type.String() })
const bytes = contract('shop', {
  report: procedure({ http: 'GET /report', access: 'key', output: file('text/csv') }),
  slow: procedure({ http: 'GET /slow', access: 'open', output: file('text/csv'), timeoutMs: 90_000 }),
  follow: procedure({ http: 'GET /follow', access: 'key', output: stream(Item) }),
  turn: procedure({
    http: 'PUT /turn',
    access: 'user',
    input: file('image/png', { maxBytes: 5000 }),
    output: file('image/png'),
  }),
  cover: procedure({
    http: 'POST /cover',
    access: 'user',
    input: upload({ files: { cover: { maxBytes: 2048 }, more: { maxBytes: 1024, maxCount: 3 } } }),
  }),
})
const STREAMED = `  - name: shop-service-streamed
    # <routes of shop streamed>
    # </routes of shop streamed>
  - name: shop-service-streamed-once
    retries: 0
    # <routes of shop streamed sent once>
    # </routes of shop streamed sent once>
`

test('files and streams are not buffered, and stand in services of their own, whose read_timeout is longer than their silence', () => {
  const shop = { ...SHOP, exported: { bytes } }
  assert.throws(() => withRoutes(TEXT, [shop]), /"# <routes of shop streamed>.* in a service without a read_timeout/)
  const text = TEXT.replace('plugins: []', () => `${STREAMED}plugins: []`)
  const written = withRoutes(text, [shop])
  assert.equal(withRoutes(written, [shop]), written)
  const [plain, streamed, once] = parse(written).services
  const limit = (allowed_payload_size: number) => ({
    name: 'request-size-limiting',
    config: { allowed_payload_size, size_unit: 'kilobytes' },
  })
  const told = ({ name, request_buffering, response_buffering, plugins = [] }: Record<string, unknown>) =>
    [name, request_buffering, response_buffering, plugins] as const
  assert.deepEqual(told(plain.routes[0]), ['shop.cover', false, undefined, [{ name: 'w' }, limit(5 + 1024)]])
  assert.equal(plain.read_timeout, undefined)
  assert.deepEqual(streamed.routes.map(told), [
    ['shop.report', undefined, false, [{ name: 'r' }]],
    ['shop.follow', undefined, false, [{ name: 'r' }]],
    ['shop.slow', undefined, false, []],
  ])
  assert.equal(streamed.read_timeout, 95_000)
  assert.deepEqual(once.routes.map(told), [['shop.turn', false, false, [{ name: 'w' }, limit(5)]]])
  assert.equal(once.read_timeout, 60_000)
})

test('services of the kong files that have routes sent once have no retries, all others have; none waits longer than a frozen one needs', () => {
  for (const { path, wanted } of kongFiles(ROOT)) {
    for (const { name, retries, read_timeout } of parse(wanted).services) {
      assert.equal(retries, name.endsWith('-once') ? 0 : undefined, `${path} ${name}`)
      assert.ok((read_timeout ?? 60_000) <= (name.includes('-streamed') ? 60_000 : 15_000), `${path} ${name}`)
    }
    const slow = SERVICES.flatMap(({ exported }) => Object.values(exported).flatMap(slowest))
    assert.ok(Math.max(...slow) < 15_000, 'a service has to answer before the gateway gives up')
  }
})

/** The times that the procedures of a contract may take, the framework's default of 10 s among them. */
function slowest(exported: object): number[] {
  return Object.values(exported as Record<string, unknown>).map(member =>
    typeof member === 'object' && member !== null && 'timeoutMs' in member ? Number(member.timeoutMs) : 10_000,
  )
}

test('two routes that match the same request must ask for the same permission', () => {
  const open = contract('shop', { mine: procedure({ http: 'GET /thing/mine', access: 'open' }) })
  assert.throws(
    () => publicRoutesOf({ ...SHOP, exported: { things, open } }),
    /shop\.find and shop\.mine match the same requests but need different permissions/,
  )
  const alike = contract('shop', { mine: procedure({ http: 'GET /thing/mine', access: 'key' }) })
  assert.doesNotThrow(() => publicRoutesOf({ ...SHOP, exported: { things, alike } }))
})

test('of two routes that match the same request, the gateway takes the same one as the service', () => {
  const alike = contract('shop', {
    stream: procedure({ http: 'GET /thing/stream', access: 'key', output: stream(Item) }),
    parts: procedure({ http: 'GET /thing/:id/parts', access: 'key', input: Item }),
    first: procedure({ http: 'GET /:id/first/parts', access: 'key', input: Item }),
  })
  const routes = publicRoutesOf({ ...SHOP, exported: { things, alike } })
  const priorities = Object.fromEntries(routes.flatMap(({ name, priority }) => (priority ? [[name, priority]] : [])))
  assert.deepEqual(priorities, { 'shop.find': 6, 'shop.stream': 7, 'shop.parts': 13, 'shop.first': 11 })
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
    methods: ['GET', 'HEAD'],
    strip_path: false,
    plugins: [{ name: 'r' }],
  })
  assert.equal(service.routes[4].plugins, undefined)
  assert.deepEqual(service.routes[4].paths, ['~/shop/teaser[.]json$'])
})

test('OPTIONS has routes for all paths of a service: open ones where everything is open, else with a key to READ', () => {
  const more = contract('shop', {
    look: procedure({ http: 'GET /thing/mine', access: 'key' }),
    poke: procedure({ http: 'POST /thing/:id', access: 'open', input: Item }),
    change: procedure({ http: 'PUT /thing/:id', access: 'user', input: Item }),
  })
  const text = TEXT.replace(
    'plugins: []',
    () => `${STREAMED}  - name: shop-service-once
    retries: 0
    # <routes of shop sent once>
    # </routes of shop sent once>
plugins: []`,
  )
  const shop = { ...SHOP, exported: { things, bytes, more } }
  const services = parse(withRoutes(text, [shop])).services as { routes: { name: string; methods: string[] }[] }[]
  const found = services.map(({ routes }) => routes.filter(({ methods }) => methods.includes('OPTIONS')))
  const paths = (...names: string[]) => names.map(name => `~/shop/${name}$`)
  const route = { methods: ['OPTIONS'], strip_path: false }
  assert.deepEqual(found[0], [
    {
      ...{ name: 'shop.options.read', ...route, plugins: [{ name: 'r' }] },
      paths: paths(
        ...['thing/[^/]+', 'thing', 'report', 'follow', 'turn', 'cover', 'thing/mine'],
        ...['health/ready', 'openapi[.]json'],
      ),
    },
    { name: 'shop.options.open', ...route, paths: paths('teaser[.]json', 'slow', 'health') },
  ])
  assert.deepEqual(found.slice(1).flat(), [])
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
    'kong/b.yml is out of step: npx tsmicro gateway generate rewrites it',
  ])
})

function run(t: TestContext, text: string, ...args: string[]) {
  const root = fixture(t, { 'kong/kong.yml': text })
  const options = [MAIN, ...args, '--root', root]
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { encoding: 'utf8' })
  return { status, output: stdout + stderr, kong: readFileSync(join(root, 'kong/kong.yml'), 'utf8') }
}

test('the command: --check only looks, generate mends, wrong arguments end with 2', t => {
  const stale = KONG.replace('methods: [GET, HEAD]', 'methods: [GET, PUT]')
  const checked = run(t, stale, 'generate', '--check')
  assert.deepEqual([checked.status, checked.kong], [1, stale])
  assert.match(checked.output, /kong\/kong\.yml is out of step/)
  const written = run(t, stale, 'generate')
  assert.deepEqual([written.status, written.kong], [0, KONG])
  assert.deepEqual(run(t, KONG, 'generate', '--check').status, 0)
  for (const args of [[], ['make'], ['generate', '--force']]) assert.equal(run(t, KONG, ...args).status, 2)
  assert.match(run(t, 'services: []\n', 'generate').output, /^gateway: kong\/kong\.yml: 0 pairs of the marks/)
})

test('the command, for files and services that it is given', t => {
  const given = ['auth', 'blog'].map(name => `--service=${name}=${join(ROOT, `contracts/${name}/src/index.ts`)}`)
  const generate = (text: string) => run(t, text, 'generate', ...given, 'kong/kong.yml')
  assert.deepEqual([generate(KONG).output, generate(KONG).status], ['', 0])
  const written = generate(KONG.replace('methods: [GET, HEAD]', 'methods: [GET, PUT]'))
  assert.deepEqual([written.output, written.kong], ['kong/kong.yml written\n', KONG])
  for (const args of [
    given,
    ['kong/kong.yml'],
    ['--service=blog', 'kong/kong.yml'],
    ['--service=a=b.ts', 'kong/kong.yml'],
  ])
    assert.equal(run(t, KONG, 'generate', ...args).status, 2, args.join(' '))
})
