// CI alone: services/blog/tests/process.test.ts kills a service by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Server } from '@tsmicro/infra'
import { bearer } from '../support/contents.ts'
import { patiently } from '../support/patiently.ts'
import { draft, type Person, person } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { type Answer, send } from '../support/send.ts'
import { until } from '../support/until.ts'
import { Writers } from '../support/writers.ts'

const CALLERS = 6
const ENOUGH = 12

let platform: Platform
let author: Person
before(async () => {
  platform = await startPlatform()
  author = await person(platform, 'Ada', 'AUTHOR')
})
after(() => platform?.[Symbol.asyncDispose]())

const key = () => ({ 'x-api-key': platform.apiKey })

interface Kind {
  /** Writes one thing through the gateway. */
  write(name: string): Promise<Answer>
  /** Checks whether an acknowledged write exists. */
  find(acknowledged: Answer): Promise<Answer>
}

const SIGN_UPS: Kind = {
  write: name =>
    send(platform.url, 'POST /auth/signup/basic', {
      headers: key(),
      json: { email: `${name}@example.com`, password: 'correct horse', name },
    }),
  find: ({ data }) =>
    send(platform.url, 'GET /auth/profile/mine', {
      headers: { ...key(), ...bearer(data.tokens as { accessToken: string }) },
    }),
}

const CREATIONS: Kind = {
  write: name =>
    send(platform.url, 'POST /blog/author', { headers: { ...key(), ...bearer(author) }, json: draft(name) }),
  find: ({ data }) =>
    send(platform.url, `PUT /blog/author/submit/id/${data._id}`, { headers: { ...key(), ...bearer(author) } }),
}

interface Crash {
  readonly name: string
  readonly kind: Kind
  readonly kill: () => unknown
  readonly start: () => Promise<unknown>
}

/** Kills something while many clients write, restarts it while they continue, and checks that every acknowledged write exists. */
async function survive({ name, kind, kill, start }: Crash): Promise<void> {
  const writers = new Writers(CALLERS, number => kind.write(`${name}-${number}`))
  await until('writing to be under way', () => writers.acknowledged.length >= ENOUGH)
  await kill()
  await until('the crash to be felt', () => writers.refused.length > 0)
  await start()
  const before = writers.acknowledged.length
  await until('writing to go on', () => writers.acknowledged.length >= before + CALLERS)
  await writers.stop()
  for (const { status, text } of writers.refused) assert.ok([502, 503, 504].includes(status), `${status} ${text}`)
  const found = await Promise.all(writers.acknowledged.map(answer => patiently(() => kind.find(answer))))
  assert.deepEqual(
    found.filter(({ status }) => status !== 200).map(({ status, text }) => `${status} ${text}`),
    [],
  )
}

function crashOf(server: Server): Pick<Crash, 'kill' | 'start'> {
  return { kill: () => server.kill('SIGKILL'), start: () => server.restart() }
}

test('auth killed while people sign up', () =>
  survive({
    name: 'auth',
    kind: SIGN_UPS,
    kill: () => platform.auth.end('SIGKILL'),
    start: () => platform.auth.start(),
  }))

test('blog killed while an author writes', () =>
  survive({
    name: 'blog',
    kind: CREATIONS,
    kill: () => platform.blog.end('SIGKILL'),
    start: () => platform.blog.start(),
  }))

// By hand the fault tables are enough. Both write without syncing to disk here, because data that a process has handed to the kernel
// outlives the process.
test('PostgreSQL killed while people sign up', () =>
  survive({ name: 'postgres', kind: SIGN_UPS, ...crashOf(platform.postgres) }))

test('document server killed while an author writes', () =>
  survive({ name: 'documents', kind: CREATIONS, ...crashOf(platform.documents) }))
