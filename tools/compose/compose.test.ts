import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfig } from 'tsmicro/config'
import type { TObject } from 'typebox'
import { parse } from 'yaml'
import system from '../../tsmicro.config.ts'
import { deployFiles } from './generate.ts'
import { composeProblems } from './problems.ts'
import { readCompose } from './read.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DEPLOY = join(ROOT, 'deploy')
const SERVICES = Object.keys(system.services)
const Env = Object.fromEntries(
  await Promise.all(
    SERVICES.map(
      async name =>
        [name, ((await import(join(ROOT, `services/${name}/src/env.ts`))) as { Env: TObject }).Env] as const,
    ),
  ),
)
const environments = Object.fromEntries(SERVICES.map(name => [`tsmicro/${name}:0.1.0`, Env[name] as TObject]))
const context = { folder: DEPLOY, environments }
const FILES = globSync('docker-compose*.yml', { cwd: DEPLOY })
const textOf = (file: string) => readFileSync(join(DEPLOY, file), 'utf8')
const TEXT = textOf('docker-compose.yml')

interface Kong {
  readonly services: readonly { readonly url: string }[]
  readonly upstreams?: readonly { readonly name: string; readonly targets: readonly { readonly target: string }[] }[]
}

for (const file of FILES) {
  test(`deploy/${file} fits the specification and what it starts`, () => {
    const compose = readCompose(textOf(file))
    assert.deepEqual(composeProblems(compose, context), [])
    assert.deepEqual(
      Object.entries(compose.services).flatMap(([name, { ports }]) => (ports ? [name] : [])),
      ['kong'],
    )
    assert.equal(compose.networks.inside?.internal, true)
  })

  test(`deploy/${file}: Kong's config leads to the services, and its plugins are there`, () => {
    const { services } = readCompose(textOf(file))
    const { environment = {}, volumes = [] } = services.kong ?? {}
    const path = volumes.find(each => each.includes(`:${environment.KONG_DECLARATIVE_CONFIG}:`))?.split(':')[0] ?? ''
    const text = readFileSync(join(DEPLOY, path), 'utf8')
    const kong = parse(text) as Kong
    const targets = kong.upstreams?.flatMap(each => each.targets.map(({ target }) => target))
    for (const authority of targets ?? kong.services.map(({ url }) => new URL(url).host)) {
      const [host = '', port] = authority.split(':')
      assert.equal(services[host]?.environment?.PORT, port, authority)
    }
    const used = new Set([...text.matchAll(/name: ([a-z]+-[a-z]+)$/gm)].map(([, name]) => name))
    const installed = environment.KONG_PLUGINS?.split(',') ?? []
    const plugins = globSync('*/handler.lua', { cwd: join(ROOT, 'kong/plugins') }).map(handler => dirname(handler))
    assert.ok(plugins.length > 0)
    // See tools/gateway/sent-once-nginx.test.ts.
    assert.equal(environment.KONG_UPSTREAM_KEEPALIVE_POOL_SIZE, '0')
    // A lower one would refuse what a route of files lets pass.
    const most = Number(/^(\d+)m$/.exec(environment.KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE ?? '')?.[1]) * 1024
    for (const [, kilobytes] of text.matchAll(/allowed_payload_size: (\d+), size_unit: kilobytes/g))
      assert.ok(Number(kilobytes) < most, `${kilobytes} kB are more than nginx lets pass`)
    assert.ok(most > 0)
    for (const plugin of plugins) assert.ok(installed.includes(plugin) && used.has(plugin), plugin)
  })
}

/** What a container's shell runs, with its secrets in a folder and its program replaced by one that says its environment. */
function runEntrypoint(t: TestContext, script: string, secrets: Readonly<Record<string, string>>, variables = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tsmicro-entrypoint-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(secrets)) writeFileSync(join(folder, name), text)
  for (const program of ['kong', 'nats-server', 'redis-server', 'psql', 'mongosh'])
    writeFileSync(join(folder, program), '#!/bin/sh\nenv\n', { mode: 0o755 })
  const text = script.replaceAll('$$', '$').replaceAll('/tmp/', `${folder}/`).replaceAll('/run/secrets', folder)
  const env = { ...variables, PATH: `${folder}:${process.env.PATH}` }
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-ec', text], { env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

for (const file of FILES)
  test(`deploy/${file}: what reads its secrets by a shell does not start when one is missing or empty`, t => {
    const { services } = parse(textOf(file)) as {
      services: Record<
        string,
        { entrypoint?: string[]; command?: string[]; secrets?: string[]; environment?: Record<string, string> }
      >
    }
    let shells = 0
    for (const [name, { entrypoint, command, secrets = [], environment = {} }] of Object.entries(services)) {
      const script = [entrypoint, command].find(each => each?.[0] === '/bin/sh')?.[2]
      if (script === undefined) continue
      shells += 1
      const all = Object.fromEntries(secrets.map(secret => [secret, `the ${secret}`]))
      assert.equal(runEntrypoint(t, script, all, environment).status, 0, name)
      for (const secret of secrets) {
        const { [secret]: _, ...others } = all
        for (const given of [others, { ...others, [secret]: '' }]) {
          const { status, stdout, stderr } = runEntrypoint(t, script, given, environment)
          assert.deepEqual([name, status, stdout], [name, 1, ''])
          assert.match(stderr, new RegExp(`no secret in \\S+/${secret}: node deploy/make-secrets\\.mjs`))
        }
      }
    }
    assert.ok(shells >= 3)
  })

for (const file of FILES)
  test(`deploy/${file}: Kong trusts the proxies that the environment names, or none`, t => {
    const { kong } = parse(textOf(file)).services
    assert.match(kong.environment.KONG_TRUSTED_IPS, /^\$\{KONG_TRUSTED_IPS:-\}$/)
    const trusted = (KONG_TRUSTED_IPS: string) => {
      const secrets = { gateway_secret: 'one', verify_secret: 'other' }
      const { stdout } = runEntrypoint(t, kong.entrypoint[2], secrets, { KONG_TRUSTED_IPS })
      return /^KONG_TRUSTED_IPS=.*$/m.exec(stdout)?.[0]
    }
    assert.deepEqual([trusted('10.0.0.0/8'), trusted('')], ['KONG_TRUSTED_IPS=10.0.0.0/8', undefined])
  })

for (const [what, from, to, message] of [
  ['an unknown element', 'restart: unless-stopped', 'restarts: always', /restart/],
  ['an invalid duration', 'interval: 10s', 'interval: 10', /interval/],
  ['an invalid limit', 'memory: 1g', 'memory: much', /memory/],
  ['an unknown condition', 'condition: service_healthy', 'condition: healthy', /condition/],
] as const)
  test(`does not fit the specification: ${what}`, () =>
    assert.throws(() => readCompose(TEXT.replace(from, to)), message))

for (const [from, to, problem] of [
  [
    '    nats: { condition: service_healthy }',
    '    nats2: { condition: service_healthy }',
    /there is no service nats2/,
  ],
  ['secrets: [postgres_password]', 'secrets: [nothing]', /there is no secret nothing/],
  ['secrets: [postgres_password]', 'secrets: [redis_password]', /the secret postgres_password is not given/],
  ['"postgres:/var', '"nowhere:/var', /there is no volume nowhere/],
  ['networks: [inside]', 'networks: [outside]', /there is no network outside/],
  ['nats.conf:/etc', 'gone.conf:/etc', /gone\.conf does not exist/],
  ['deploy/Dockerfile', 'deploy/gone/Dockerfile', /Dockerfile does not exist/],
  ['KEYS_DIR:', 'KEYS_FOLDER:', /sets KEYS_FOLDER, which the service does not read.*needs KEYS_DIR/s],
  ['HOST: 0.0.0.0', 'HOST_FILE: 0.0.0.0', /sets HOST_FILE, which the service does not read/],
  ['DATABASE_URL_FILE:', 'DATABASE_URL:', /DATABASE_URL is a secret/],
  ['kong:3.9.1', 'kong', /not pinned/],
  ['kong:3.9.1', 'kong:latest', /not pinned/],
  ['user: postgres', 'user: root', /runs as root/],
  ['    user: mongodb\n', '', /runs as root/],
  ['stop_signal: SIGINT', 'ports: ["5432:5432"]', /published beside the gateway/],
] as const)
  test(`is refused: ${to.trim() || `without ${from.trim()}`}`, () => {
    assert.ok(TEXT.includes(from))
    assert.match(composeProblems(readCompose(TEXT.replace(from, to)), context).join('\n'), problem)
  })

test('make-secrets writes every secret once, and with them the services’ environments are whole', t => {
  const folder = mkdtempSync(join(tmpdir(), 'tsmicro-deploy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'deploy'))
  for (const file of ['make-secrets.mjs', 'secrets.json']) cpSync(join(DEPLOY, file), join(folder, 'deploy', file))
  const make = () => execFileSync(process.execPath, [join(folder, 'deploy/make-secrets.mjs')], { encoding: 'utf8' })
  const read = (name: string) => readFileSync(join(folder, 'deploy/secrets', name), 'utf8')
  assert.doesNotMatch(make(), /:\/\//)
  assert.equal(statSync(join(folder, 'deploy/secrets')).mode & 0o777, 0o700)
  const once = read('gateway_secret')
  make()
  assert.equal(read('gateway_secret'), once)

  const { services, secrets } = readCompose(TEXT)
  assert.deepEqual(readdirSync(join(folder, 'deploy/secrets')).sort(), Object.keys(secrets).sort())
  const given = (environment: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name,
        value.replace('/run/secrets/', join(folder, 'deploy/secrets/')),
      ]),
    )
  for (const name of SERVICES) {
    const config = loadConfig(Env[name] as TObject, given(services[name]?.environment)) as { GATEWAY_SECRET?: string }
    assert.equal(config.GATEWAY_SECRET, once, name)
  }
})

test('generating adds what is missing, and keeps what is there; a service cannot take the place of something else', () => {
  const described = (service: string, env: Readonly<Record<string, string>> = {}) => ({
    ...{ services: system.services, natsUsers: ['auth', 'more'] },
    described: [{ service, env, permissions: { user: service, publish: [], subscribe: [] }, streams: [] }],
  })
  const env = { DATABASE_URL: 'postgres://nowhere:5432/its-data' }
  for (const { path, text } of deployFiles(ROOT, described('shop', env)).slice(1)) {
    const { services, secrets } = readCompose(text)
    const before = readCompose(readFileSync(join(ROOT, path), 'utf8')).services.nats?.secrets ?? []
    assert.deepEqual(services.nats?.secrets, [...before, 'more_nats_password'], path)
    // Whatever the service is called, the password is that of the database's user.
    const own = services['postgres-databases']?.secrets ?? []
    for (const secret of ['postgres_password', 'its_data_postgres_password']) assert.ok(own.includes(secret), secret)
    assert.ok(secrets.its_data_postgres_password)
  }
  for (const name of ['kong', 'keys', 'nats'])
    assert.throws(() => deployFiles(ROOT, described(name)), new RegExp(`the entry ${name} does not build`))
})
