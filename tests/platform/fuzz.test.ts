// CI alone: packages/gateway/tests and packages/tsmicro/tests/http/fuzz.test.ts send broken and generated messages by hand.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { bearer } from '../support/contents.ts'
import { fuzz, type Vocabulary } from '../support/hostile/fuzz.ts'
import { type Person, person } from '../support/people.ts'
import { ReplicatedSystem } from '../support/replicated-system.ts'
import { send } from '../support/send.ts'
import { sized } from '../support/size.ts'

const linux = process.platform === 'linux' ? false : 'processes are found in /proc'
const INPUTS = sized(10_000)
/** Replays one run: `FUZZ_SEED=1 npm test -- --only platform/fuzz`. */
const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31))

let system: ReplicatedSystem
let author: Person
let config: string
before(async () => {
  if (linux) return
  system = await ReplicatedSystem.start()
  author = await person(system, 'Ada', 'AUTHOR')
  config = await readFile(new URL('../../kong/kong-load-balanced.yml', import.meta.url), 'utf8')
})
after(() => system?.[Symbol.asyncDispose]())

interface Door {
  readonly url: string
  readonly vocabulary: Vocabulary
}

const SERVICE_PATHS = [
  '/health',
  '/health/ready',
  '/signin/basic',
  '/profile/mine',
  '/id/x',
  '/author',
  '/list/latest?page=x',
]

/** Every HTTP port, and what an input needs to pass its first check. */
const doors: Readonly<Record<string, () => Promise<Door>>> = {
  'the gateway': async () => ({
    url: system.url,
    vocabulary: {
      paths: ['/', ...SERVICE_PATHS.flatMap(path => [`/blog${path}`, `/auth${path}`])],
      headers: [
        `x-api-key: ${system.apiKey}`,
        `x-api-key: ${system.apiKey}`,
        `authorization: Bearer ${author.accessToken}`,
      ],
      bodies: ['{"email":"a@b.c","password":"correct horse"}', '{"title":1}'],
    },
  }),
  'the Admin API': async () => ({
    url: system.adminUrl,
    vocabulary: {
      paths: [
        '/',
        '/config',
        '/config?check_hash=1',
        '/status',
        '/upstreams',
        '/upstreams/auth/health',
        '/upstreams/%/health',
      ],
      headers: Object.entries(await system.adminHeaders()).flatMap(([name, value]) =>
        Array(4).fill(`${name}: ${value}`),
      ),
      bodies: [
        config,
        `${config}x`,
        config.replace('name:', 'name: &a *a #'),
        '{"config":1}',
        '_format_version: "3.0"',
        'a: &a [*a]',
      ],
    },
  }),
  'the supervisor': async () => {
    const { url, token } = await system.control()
    return {
      url,
      vocabulary: {
        paths: ['/', '/restart', '/restart?service=nobody', '/restart?service=%', '/restart?'],
        headers: [`authorization: Bearer ${token.slice(1)}`, `host: ${new URL(url).host}`],
        bodies: ['{"service":"auth"}'],
      },
    }
  },
  ...Object.fromEntries(
    ['auth-1', 'blog-2'].map(name => [
      name,
      async () => ({
        url: system.addressOf(name),
        vocabulary: {
          paths: ['/', '/openapi.json', ...SERVICE_PATHS],
          headers: [`authorization: Bearer ${author.accessToken}`, 'x-gateway-signature: t=1', 'x-consumer-id: 1'],
          bodies: ['{"email":"a@b.c","password":"correct horse"}'],
        },
      }),
    ]),
  ),
}

for (const [name, door] of Object.entries(doors)) {
  test(`${INPUTS} generated inputs to ${name}: no process ends or logs an error, and everything works as before`, {
    skip: linux,
  }, async t => {
    t.diagnostic(`FUZZ_SEED=${seed}`)
    const { url, vocabulary } = await door()
    const [pids, since] = [await system.pids(), system.output.length]
    await fuzz(url, vocabulary, INPUTS, seed)
    // PostgreSQL starts processes all the time, so there may be more.
    const left = new Set(await system.pids())
    assert.deepEqual(
      pids.filter(pid => !left.has(pid)),
      [],
    )
    const complaints = system.output
      .slice(since)
      .split('\n')
      .filter(line => /\b(?:error|fatal|unhandled|uncaught)\b|^\s+at /i.test(line))
    assert.deepEqual(complaints, [])
    // An input that got through may have been a configuration.
    const restored = await fetch(`${system.adminUrl}/config`, {
      method: 'POST',
      body: config,
      headers: await system.adminHeaders(),
    })
    assert.equal(restored.status, 201)
    const headers = { 'x-api-key': system.apiKey, ...bearer(author) }
    for (const route of ['GET /auth/profile/mine', 'GET /blog/list/latest'])
      assert.equal((await send(system.url, route, { headers })).status, 200)
  })
}
