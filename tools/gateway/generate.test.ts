// CI alone: `npm run check` generates the routes, and compares them, by hand.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { publicRoutesOf, publicServices, withRoutes } from '@tsmicro/cli/generate'
import { contract, file, procedure, stream, upload } from 'tsmicro/contract'
import Type from 'typebox'
import { parse } from 'yaml'
import system from '../../tsmicro.config.ts'

const ROOT = new URL('../../', import.meta.url)
const KONG_FILES = ['kong/kong.yml', 'kong/kong-load-balanced.yml'].map(path => ({
  path,
  text: readFileSync(new URL(path, ROOT), 'utf8'),
}))

const things = contract('shop', {
  find: procedure({ http: 'GET /thing/:id', access: 'key', input: Type.Object({ id: Type.String() }) }),
  teaser: procedure({ http: 'GET /teaser.json', access: 'open' }),
  make: procedure({ http: 'POST /thing', access: 'user' }),
  count: procedure({ nats: 'thing.count', access: 'internal' }),
  audit: procedure({ http: 'GET /audit', access: 'internal' }),
})
const SHOP = { name: 'shop', prefix: '/shop', exported: { things, other: 'not a contract' } }

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

test('what is sent once stands in a service of its own, which is added if it is missing', () => {
  const written = withRoutes(TEXT, [BOOKING])
  const [often, single] = parse(written).services
  const names = (service: { routes: { name: string }[] }) => service.routes.map(({ name }) => name)
  assert.deepEqual(names(single), ['shop.book', 'shop.drop', 'shop.next'])
  assert.deepEqual([single.name, single.url, single.retries], ['shop-service-once', 'http://shop:80', 0])
  assert.ok(names(often).includes('shop.pay') && !names(often).includes('shop.book'))
  assert.deepEqual(parse(withRoutes(written, [SHOP])).services[1].routes, [])
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
test('files and streams are not buffered, and stand in services of their own, whose read_timeout is longer than their silence', () => {
  const shop = { ...SHOP, exported: { bytes } }
  const written = withRoutes(TEXT, [shop])
  assert.equal(withRoutes(written, [shop]), written)
  const [plain, streamed, once] = parse(written).services
  const limit = (allowed_payload_size: number) => ({
    name: 'request-size-limiting',
    config: { allowed_payload_size, size_unit: 'kilobytes' },
  })
  const told = ({ name, request_buffering, response_buffering, plugins = [] }: Record<string, unknown>) =>
    [name, request_buffering, response_buffering, plugins] as const
  assert.deepEqual(told(plain.routes[0]), ['shop.cover', false, undefined, [{ name: 'w' }, limit(5 + 1024)]])
  assert.equal(plain.read_timeout, 15_000)
  assert.deepEqual(streamed.routes.map(told), [
    ['shop.report', undefined, false, [{ name: 'r' }]],
    ['shop.follow', undefined, false, [{ name: 'r' }]],
    ['shop.slow', undefined, false, []],
  ])
  assert.equal(streamed.read_timeout, 95_000)
  assert.deepEqual(once.routes.map(told), [['shop.turn', false, false, [{ name: 'w' }, limit(5)]]])
  assert.equal(once.read_timeout, 60_000)
})

test('services of the kong files that have routes sent once have no retries, all others have; none waits longer than a frozen one needs', async () => {
  const services = await publicServices(system, fileURLToPath(ROOT))
  for (const { path, text } of KONG_FILES) {
    assert.equal(withRoutes(text, services), text)
    for (const { name, retries, read_timeout } of parse(text).services) {
      assert.equal(retries, name.endsWith('-once') ? 0 : undefined, `${path} ${name}`)
      assert.ok((read_timeout ?? 60_000) <= (name.includes('-streamed') ? 60_000 : 15_000), `${path} ${name}`)
    }
    const slow = services.flatMap(({ exported }) => Object.values(exported).flatMap(slowest))
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
    url: http://shop:80
    connect_timeout: 5000
    read_timeout: 15000 # at most
    # What is left of an earlier generator.
    routes: old
    plugins:
      - name: strip-prefix
        config: { prefix: /shop }
  # The end.
plugins: []
`

test('what is not generated stays, twice written is once written', () => {
  const once = withRoutes(TEXT, [SHOP])
  assert.equal(withRoutes(once, [SHOP]), once)
  const [service] = parse(once).services
  const lines = (text: string) => text.split('\n').filter(line => !line.includes('routes: old'))
  assert.deepEqual(
    lines(TEXT).filter(line => !lines(once).includes(line)),
    [],
  )
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

const stock = contract('mail-box', {
  look: procedure({ http: 'GET /stock', access: 'user' }),
  book: procedure({ http: 'PUT /booking', access: 'user' }),
})
const NEW = { name: 'mail-box', port: 8009, prefix: '/mail-box', exported: { stock } }

for (const { path, text } of KONG_FILES)
  test(`a service that is new is added to ${path} like those that are there, and nothing else changes`, () => {
    const written = withRoutes(text, [NEW])
    assert.equal(withRoutes(written, [NEW]), written)
    const lines = written.split('\n')
    assert.deepEqual(
      text.split('\n').filter(line => !lines.includes(line)),
      [],
    )
    const { services, upstreams = [] } = parse(written)
    const [plain, once] = services.slice(-2)
    assert.deepEqual([plain.name, once.name, once.retries], ['mail-box-service', 'mail-box-service-once', 0])
    for (const { url, connect_timeout, write_timeout, read_timeout, plugins } of [plain, once]) {
      assert.deepEqual(
        [url, connect_timeout, write_timeout, read_timeout],
        ['http://mail-box:8009', 5000, 15_000, 15_000],
      )
      assert.deepEqual(plugins, [{ name: 'strip-prefix', config: { prefix: '/mail-box' } }])
    }
    const added = upstreams.find(({ name }: { name: string }) => name === 'mail-box')
    assert.deepEqual(
      added?.targets,
      upstreams.length === 0 ? undefined : [{ target: 'mail-box-1:8009' }, { target: 'mail-box-2:8009' }],
    )
    assert.deepEqual(added?.healthchecks, upstreams[0]?.healthchecks)
  })

test('OPTIONS has routes for all paths of a service: open ones where everything is open, else with a key to READ', () => {
  const more = contract('shop', {
    look: procedure({ http: 'GET /thing/mine', access: 'key' }),
    poke: procedure({ http: 'POST /thing/:id', access: 'open', input: Item }),
    change: procedure({ http: 'PUT /thing/:id', access: 'user', input: Item }),
  })
  const shop = { ...SHOP, exported: { things, bytes, more } }
  const services = parse(withRoutes(TEXT, [shop])).services as { routes: { name: string; methods: string[] }[] }[]
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
  ['no list of services', 'services: no\n', /^Error: there is no list of services/],
  ['a service twice', TEXT.replace('  # The end.', '  - name: shop'), /^Error: services: shop is there 2 times/],
  ['what is not YAML', `${TEXT}: [`, /^Error: /],
  [
    'no anchor for what its routes need',
    TEXT.replace('&write', ''),
    /^Error: routes of shop use \*write: define &write/,
  ],
] as const)
  test(`is refused: ${what}`, () => assert.throws(() => withRoutes(text, [SHOP]), message))
