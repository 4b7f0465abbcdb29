import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

/** A service with one procedure, which reports the files that were loaded until it was ready. */
const SERVICE = `import { registerHooks } from 'node:module'
const files = []
registerHooks({ load(url, context, next) {
  if (url.startsWith('file:')) files.push(url)
  return next(url, context)
} })
const { createService, implement } = await import('tsmicro')
const { contract, procedure } = await import('tsmicro/contract')
const { default: Type } = await import('typebox')
const hello = contract('hello', { greet: procedure({ http: 'GET /greet', access: 'open', output: Type.String() }) })
const log = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
const module = { handlers: [implement(hello, { greet: () => 'Hello' })] }
const service = createService({ name: 'hello', version: '1.0.0', log, module })
await service.start()
if ((await fetch(service.url + '/greet')).status !== 200) throw new Error('not ready')
await service.stop()
console.log(JSON.stringify(files))`

test('a service loads only what it uses', async () => {
  // Libraries as they are installed: `npm test` by hand bundles some.
  const { NODE_OPTIONS: _, ...env } = process.env
  const options = { cwd: import.meta.dirname, env }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', SERVICE], options)
  const files: string[] = JSON.parse(stdout)
  const packages = Map.groupBy(files, url => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? 'own')
  // What only raw routes with schemas, uploads, NATS, stores and tests need.
  for (const name of [
    ...['ajv', '@fastify/ajv-compiler', 'ajv-formats', 'light-my-request', '@fastify/busboy'],
    ...['@nats-io/transport-node', 'mongodb', 'pg', 'kysely', '@redis/client', 'jose', 'lru-cache', '@node-rs/argon2'],
  ])
    assert.ok(!packages.has(name), name)
  const counted = [...packages].map(([name, { length }]) => `${name} ${length}`).join(', ')
  assert.ok(files.length <= 930, `${files.length} files: ${counted}`)
})
