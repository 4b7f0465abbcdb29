// CI alone: packages/tsmicro/tests/micro/stop.test.ts and services/blog/tests/process.test.ts show by hand how a service ends.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { bearer } from '../support/contents.ts'
import { openRequests } from '../support/open-requests.ts'
import { patiently } from '../support/patiently.ts'
import { draft, type Person, person } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import type { Program } from '../support/program.ts'
import { type Sent, send } from '../support/send.ts'
import { inFull } from '../support/size.ts'
import { until } from '../support/until.ts'
import { Writers } from '../support/writers.ts'

/** Connections waiting to be accepted. Node accepts one in each turn of its event loop. */
const WAITING = inFull ? 100 : 20

let platform: Platform
let author: Person
before(async () => {
  platform = await startPlatform()
  author = await person(platform, 'Ada', 'AUTHOR')
})
after(() => platform?.[Symbol.asyncDispose]())

const key = () => ({ 'x-api-key': platform.apiKey })
const asAuthor = () => ({ ...key(), ...bearer(author) })

/** Requests that came too late were refused by the gateway or the service; anything else would be a lost request that had been accepted. */
function assertNoneLost(writers: Writers): void {
  for (const { status, text } of writers.refused) assert.ok(status === 502 || status === 503, `${status} ${text}`)
  assert.ok(writers.refused.length > 0)
}

/**
 * Ends a service while requests are waiting that it has had no time to read, as on a busy machine: it is frozen while they arrive. Resolves
 * to its exit code and the answers to them.
 */
async function endWithRequests(program: Program, url: string, route: string, requests: readonly Sent[]) {
  program.signal('SIGSTOP')
  const waiting = await openRequests(url, route, requests)
  const ended = program.end('SIGTERM')
  program.signal('SIGCONT')
  const outcomes = await Promise.allSettled(waiting.map(({ status }) => status))
  const answers = outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason)))
  return { code: await ended, answers }
}

test('SIGTERM to blog under load: accepted requests are completed and answered', async () => {
  const writers = new Writers(6, number =>
    send(platform.url, 'POST /blog/author', { headers: asAuthor(), json: draft(`drain-${number}`) }),
  )
  await until('writing to be under way', () => writers.acknowledged.length >= 12)
  const requests = Array.from({ length: WAITING }, (_, index) => ({
    headers: bearer(author),
    json: draft(`direct-${index}`),
  }))
  const { code, answers } = await endWithRequests(platform.blog, platform.blogUrl, 'POST /author', requests)
  await until('the end to be felt', () => writers.refused.length > 0)
  await platform.blog.start()
  await writers.stop()

  assert.equal(code, 0)
  // On a busy machine some wait too long for a connection to the database: they are answered, and nothing is done.
  assert.deepEqual(
    answers.filter(status => status !== 201 && status !== 503),
    [],
  )
  assert.ok(answers.includes(201))
  assertNoneLost(writers)
  const found = await Promise.all(
    writers.acknowledged.map(({ data }) =>
      patiently(() => send(platform.url, `PUT /blog/author/submit/id/${data._id}`, { headers: asAuthor() })),
    ),
  )
  assert.deepEqual(
    found.filter(({ status }) => status !== 200).map(({ text }) => text),
    [],
  )
  // The slugs of the direct ones are taken if they were answered 201, and only then.
  const again = await Promise.all(
    requests.map(request => patiently(() => send(platform.blogUrl, 'POST /author', request))),
  )
  assert.deepEqual(
    again.map(({ body }) => body?.error),
    answers.map(status => (status === 201 ? 'SLUG_TAKEN' : undefined)),
  )
})

test('SIGTERM to auth under load: accepted requests are done and answered, including those of the blog service', async () => {
  const signUps = new Writers(4, number =>
    send(platform.url, 'POST /auth/signup/basic', {
      headers: key(),
      json: { email: `drain-${number}@example.com`, password: 'correct horse', name: 'Somebody' },
    }),
  )
  // Each asks auth over NATS who the author is and what they may do.
  const creations = new Writers(4, number =>
    send(platform.blogUrl, 'POST /author', { headers: bearer(author), json: draft(`meanwhile-${number}`) }),
  )
  await until('all to be under way', () => [signUps, creations].every(({ acknowledged }) => acknowledged.length >= 8))
  const requests = Array.from({ length: WAITING }, () => ({ json: { key: platform.apiKey } }))
  const { code, answers } = await endWithRequests(platform.auth, platform.authUrl, 'POST /verify/apikey', requests)
  await until('the end to be felt', () => [signUps, creations].every(({ refused }) => refused.length > 0))
  await platform.auth.start()
  const before = creations.acknowledged.length
  await until('writing to go on', () => creations.acknowledged.length > before)
  await Promise.all([signUps.stop(), creations.stop()])

  assert.equal(code, 0)
  assert.deepEqual(answers, Array(WAITING).fill(200))
  assertNoneLost(signUps)
  assertNoneLost(creations)
  const found = await Promise.all(
    signUps.acknowledged.map(({ data }) =>
      patiently(() =>
        send(platform.url, 'GET /auth/profile/mine', {
          headers: { ...key(), ...bearer(data.tokens as { accessToken: string }) },
        }),
      ),
    ),
  )
  assert.deepEqual(
    found.filter(({ status }) => status !== 200).map(({ text }) => text),
    [],
  )
})
