import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as authContracts from '@blog-platform/auth-contract'
import * as blogContracts from '@blog-platform/blog-contract'
import { connect, headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { NatsClient } from 'tsmicro'
import { ApiError } from 'tsmicro/contract'
import { proceduresIn } from '../support/contracts.ts'
import { natsUrlFor } from '../support/nats-users.ts'
import { connectObserver, endpointsListed, endpointsSeen, SUBJECTS, trespass } from '../support/observer.ts'
import { type Person, person } from '../support/people.ts'
import { type Platform, sharedPlatform } from '../support/platform.ts'
import { until } from '../support/until.ts'

let platform: Platform
let nats: NatsConnection
let author: Person
before(async () => {
  platform = await sharedPlatform()
  nats = await connect({ servers: new URL(platform.nats.url).host })
  author = await person(platform, 'Ada', 'AUTHOR')
})
after(async () => {
  await nats?.close()
  await platform?.[Symbol.asyncDispose]()
})

/** A request as a service in another language sends it: only gomicro's envelope. */
async function ask(subject: string, data: unknown) {
  const msg = await nats.request(subject, JSON.stringify({ data }), { timeout: 10_000 })
  const told = ['Nats-Service-Error-Code', 'Nats-Service-Error', 'Tsmicro-Error'].map(name => msg.headers?.get(name))
  return { body: msg.json<unknown>(), told }
}

test('a plain client can have a token validated', async () => {
  const { accessToken: token, id, name } = author
  const { body, told } = await ask('auth.validate.token', { token })
  const { data } = body as { data: { sessionId: string } }
  assert.equal(typeof data.sessionId, 'string')
  assert.deepEqual(body, { data: { id, name, sessionId: data.sessionId } })
  assert.deepEqual(told, [undefined, undefined, undefined])
})

test('a plain client learns about an invalid token from the body and the headers', async () => {
  for (const token of ['garbage', `${author.accessToken}x`, author.refreshToken]) {
    const message = 'The token is not valid'
    assert.deepEqual(await ask('auth.validate.token', { token }), {
      body: { error: `401:${message}` },
      told: ['401', message, 'TOKEN_INVALID'],
    })
  }
})

test('a plain client can ask about roles', async () => {
  const hasRole = async (role: string) => (await ask('auth.validate.role', { userId: author.id, role })).body
  assert.deepEqual(await hasRole('LEARNER'), { data: { valid: true } })
  assert.deepEqual(await hasRole('AUTHOR'), { data: { valid: true } })
  assert.deepEqual(await hasRole('EDITOR'), { data: { valid: false } })
})

test('any input that does not match the schema is answered with 400', async () => {
  for (const data of [undefined, null, 'text', [], {}, { userId: 'no-uuid', role: 'AUTHOR' }, { userId: author.id }]) {
    const { body, told } = await ask('auth.validate.role', data)
    assert.match((body as { error: string }).error, /^400:/)
    assert.deepEqual([told[0], told[2]], ['400', 'VALIDATION_FAILED'])
  }
  const unreadable = await nats.request('auth.validate.role', '{"data":', { timeout: 10_000 })
  assert.match(unreadable.json<{ error: string }>().error, /^400:/)
})

interface Described {
  readonly type: string
  readonly name: string
  readonly id: string
  readonly endpoints?: readonly { readonly name: string; readonly subject: string; readonly num_requests?: number }[]
}

/** The first answers, up to a number; fewer if no more arrive within ten seconds. */
async function discover(subject: string, maxMessages: number): Promise<Described[]> {
  const replies = await nats.requestMany(subject, '', { strategy: 'count', maxMessages, maxWait: 10_000 })
  const described: Described[] = []
  for await (const msg of replies) described.push(msg.json())
  return described.sort((a, b) => a.name.localeCompare(b.name))
}

test('$SRV lists both services and every endpoint of their contracts', async () => {
  const declared = proceduresIn(authContracts, blogContracts).filter(({ subject }) => subject !== undefined)
  const endpointsOf = (service: string) =>
    declared
      .filter(procedure => procedure.service === service)
      .map(({ name, subject }) => `${name} ${subject}`)
      .sort()
  for (const verb of ['PING', 'INFO', 'STATS']) {
    const all = await discover(`$SRV.${verb}`, 2)
    assert.deepEqual(
      all.map(({ name, type }) => [name, type]),
      ['auth', 'blog'].map(name => [name, `io.nats.micro.v1.${verb.toLowerCase()}_response`]),
    )
    for (const { name, id } of all) {
      for (const subject of [`$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`]) {
        const [one] = await discover(subject, 1)
        assert.equal(one?.id, id)
        if (verb !== 'PING') {
          assert.deepEqual(one?.endpoints?.map(each => `${each.name} ${each.subject}`).sort(), endpointsOf(name))
        }
      }
    }
  }
})

test('the observer of deploy/nats/nats.conf sees every endpoint', async () => {
  const { username: user, password, host } = new URL(natsUrlFor('observer', platform.nats.url))
  await using observer = await connectObserver({
    url: `nats://${host}`,
    user,
    password,
    inbox_prefix: '_INBOX_observer',
  })
  assert.deepEqual(await endpointsSeen(observer, 2), SUBJECTS)
  const listed = await endpointsListed(
    `nats --server nats://${user}:${password}@${host} --inbox-prefix _INBOX_observer micro ls`,
  )
  assert.deepEqual(listed ?? SUBJECTS, SUBJECTS)
  // It calls no procedure, publishes no event, and reads nobody else's inbox.
  const { allowed, tried } = await trespass(observer)
  assert.deepEqual(allowed, [])
  assert.ok(tried > 30, `${tried}`)
})

test('$SRV.STATS counts requests and failures', async () => {
  const count = async () => {
    const [auth] = await discover('$SRV.STATS.auth', 1)
    const found = auth?.endpoints?.find(({ subject }) => subject === 'auth.validate.token') as unknown
    const { num_requests, num_errors } = found as { num_requests: number; num_errors: number }
    return { num_requests, num_errors }
  }
  const { num_requests, num_errors } = await count()
  await ask('auth.validate.token', { token: author.accessToken })
  await ask('auth.validate.token', { token: 'garbage' })
  assert.deepEqual(await count(), { num_requests: num_requests + 2, num_errors: num_errors + 1 })
})

test('an error that is only in the body, as Go services send it, counts as an error', async () => {
  const answers: Readonly<Record<string, (msg: Msg) => void>> = {
    'legacy.body': msg => msg.respond('{"error":"404:no such thing"}'),
    'legacy.data-too': msg => msg.respond('{"data":{"a":1},"error":"403:not you"}'),
    'legacy.no-status': msg => msg.respond('{"error":"broken"}'),
    'legacy.headers': msg => {
      const told = headers()
      told.set('Nats-Service-Error-Code', '409')
      told.set('Nats-Service-Error', 'taken')
      msg.respond('', { headers: told })
    },
    'legacy.fine': msg => msg.respond('{"data":{"a":1}}'),
  }
  const subscription = nats.subscribe('legacy.*', { callback: (_, msg) => answers[msg.subject]?.(msg) })
  await nats.flush()
  const client = new NatsClient({ url: platform.nats.url, name: 'test' })
  await client.connect()
  try {
    const ask = (subject: string) => client.request(subject, { b: 2 })
    const failure = async (subject: string) => {
      const error = await ask(subject).then(
        () => undefined,
        thrown => thrown,
      )
      assert.ok(error instanceof ApiError, `${subject} did not fail`)
      return [error.status, error.message]
    }
    assert.deepEqual(await failure('legacy.body'), [404, 'no such thing'])
    assert.deepEqual(await failure('legacy.data-too'), [403, 'not you'])
    assert.deepEqual(await failure('legacy.no-status'), [500, 'broken'])
    assert.deepEqual(await failure('legacy.headers'), [409, 'taken'])
    assert.deepEqual(await ask('legacy.fine'), { a: 1 })
  } finally {
    await client.close()
    subscription.unsubscribe()
  }
})

test('an event of a plain publisher reaches the blog service', async () => {
  const { _id } = await author.authoring.create({
    title: 'Title',
    description: 'Description',
    draftText: 'Text',
    slug: 'of-a-plain-publisher',
    tags: ['TEST'],
  })
  const shown = async () => (await author.authoring.submit({ id: _id })).author
  assert.equal((await shown()).name, 'Ada')
  // An unreadable message must not block those after it.
  for (const broken of ['', '{', 'null', '{"userId":5}']) nats.publish('user.updated', broken)
  const told = headers()
  const attributes = {
    specversion: '1.0',
    id: randomUUID(),
    type: 'user.updated',
    source: 'legacy',
    time: new Date().toISOString(),
    aggregateid: author.id,
    aggregatesequence: '1000',
    // The numbers before it are not waited for.
    aggregatefirst: '1000',
  }
  for (const [name, value] of Object.entries(attributes)) told.set(`ce-${name}`, value)
  nats.publish('user.updated', JSON.stringify({ userId: author.id, name: 'Countess' }), { headers: told })
  await until('the new name', async () => (await shown()).name === 'Countess')
})
