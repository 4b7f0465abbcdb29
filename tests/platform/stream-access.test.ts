import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { startNats } from '@tsmicro/infra'
import { inboxPrefixOf } from 'tsmicro/internal'
import { createAllStreams } from '../../deploy/nats/create-streams.ts'
import streams from '../../deploy/nats/streams.json' with { type: 'json' }
import { natsUrlFor, writeNatsUsers } from '../support/nats-users.ts'
import { until } from '../support/until.ts'

const USERS = ['auth', 'blog', 'gateway', 'operator'] as const
type User = (typeof USERS)[number]

const directory = await mkdtemp(join(tmpdir(), 'tsmicro-streams-'))
after(() => rm(directory, { recursive: true, force: true }))
const server = await startNats({ ephemeral: true, extraArgs: ['-c', await writeNatsUsers(directory)] })
after(() => server.stop())
await createAllStreams(natsUrlFor('streams', server.url))

/** May do everything. */
const admin = await connect({ servers: new URL(server.url).host })
after(() => admin.close())
const refused = new Map<User, Set<string>>()
const connections = new Map<User, NatsConnection>()
for (const user of USERS) {
  const { host, username, password: pass } = new URL(natsUrlFor(user, server.url))
  const connection = await connect({ servers: host, user: username, pass, inboxPrefix: inboxPrefixOf(user) })
  after(() => connection.close())
  const subjects = new Set<string>()
  void (async () => {
    for await (const status of connection.status())
      if (status.type === 'error') subjects.add(/"([^"]+)"/.exec(status.error.message)?.[1] ?? '')
  })()
  connections.set(user, connection)
  refused.set(user, subjects)
}

/** Sends it as a user, with the answer to somewhere else. Resolves to whether the server has accepted it. */
async function passes(user: User, subject: string, body = '', reply = 'nowhere'): Promise<boolean> {
  const connection = connections.get(user)
  assert.ok(connection)
  connection.publish(subject, body, { reply })
  await connection.flush()
  // The refusal is reported in a later turn than the answer to the flush.
  await new Promise(resolve => setImmediate(resolve))
  return !refused.get(user)?.has(subject)
}

async function ask<Reply>(subject: string, body: object | '' = '', as: NatsConnection = admin): Promise<Reply> {
  const answer = await as.request(subject, body && JSON.stringify(body), { timeout: 30_000 })
  return answer.json()
}

interface Info {
  readonly state: { readonly messages: number }
  readonly config: object
}
const countOf = async (stream: string) => (await ask<Info>(`$JS.API.STREAM.INFO.${stream}`)).state.messages

const NAMES = streams.map(({ name }) => name)
const CONSUMERS = ['blog_authors', 'auth_something']
const OWNERS: Readonly<Record<string, User>> = {
  ...({ EVENTS_user: 'auth', EVENTS_session: 'auth', EVENTS_apikey: 'auth' } as const),
  ...({ EVENTS_blog: 'blog', DEAD_blog: 'blog' } as const),
}
const CHANGES = ['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'SNAPSHOT', 'RESTORE', 'PEER.REMOVE', 'LEADER.STEPDOWN']

test('what each user may do with each stream and consumer: its own work, and nothing else', async () => {
  const table: [subject: string, who: readonly User[]][] = []
  for (const stream of NAMES) {
    const owner = OWNERS[stream]
    assert.ok(owner, `whose is ${stream}?`)
    // The blog service reads users, and looks whether their stream is there.
    const readers: readonly User[] = stream === 'EVENTS_user' ? ['blog'] : []
    table.push([`$JS.API.STREAM.INFO.${stream}`, [owner, 'operator', ...readers]])
    table.push([`$JS.API.STREAM.MSG.GET.${stream}`, [owner]], [`$JS.API.STREAM.MSG.DELETE.${stream}`, [owner]])
    for (const verb of CHANGES) table.push([`$JS.API.STREAM.${verb}.${stream}`, []])
    table.push([`$JS.API.DIRECT.GET.${stream}`, []], [`$JS.API.DIRECT.GET.${stream}.user.created`, []])
    for (const verb of ['NAMES', 'LIST', 'CREATE']) table.push([`$JS.API.CONSUMER.${verb}.${stream}`, []])
    for (const consumer of CONSUMERS) {
      const own: readonly User[] = stream === 'EVENTS_user' && consumer === 'blog_authors' ? ['blog'] : []
      for (const verb of ['CREATE', 'DELETE', 'MSG.NEXT', 'UNPIN'])
        table.push([`$JS.API.CONSUMER.${verb}.${stream}.${consumer}`, own])
      table.push([`$JS.API.CONSUMER.INFO.${stream}.${consumer}`, [...own, 'operator']])
      table.push([`$JS.ACK.${stream}.${consumer}.1.1.1.1.0`, own])
      for (const verb of ['DURABLE.CREATE', 'PAUSE', 'LEADER.STEPDOWN'])
        table.push([`$JS.API.CONSUMER.${verb}.${stream}.${consumer}`, []])
    }
  }
  for (const name of [
    'INFO',
    'STREAM.NAMES',
    'STREAM.LIST',
    'STREAM.CREATE.another',
    'ACCOUNT.PURGE.$G',
    'SERVER.REMOVE',
  ])
    table.push([`$JS.API.${name}`, []])
  for (const service of ['auth', 'blog']) table.push([`_TSMICRO.events.${service}`, ['operator']])
  table.push(
    ['_TSMICRO.dead.blog.authors.user.x.1', ['blog']],
    ['user.created', ['auth']],
    ['apikey.revoked', ['auth']],
  )
  const wrong: string[] = []
  // No JSON, so that nothing is done even where it is permitted.
  for (const [subject, who] of table)
    for (const user of USERS)
      if ((await passes(user, subject, '{')) !== who.includes(user)) wrong.push(`${user} ${subject}`)
  assert.deepEqual(wrong, [])
  assert.ok(table.length > 100)
})

test('a consumer is created only under its own name and for its own stream', async () => {
  const blog = connections.get('blog')
  assert.ok(blog)
  const create = async (config: object, stream = 'EVENTS_user') => {
    const request = { stream_name: stream, config: { ack_policy: 'explicit', ...config } }
    const subject = '$JS.API.CONSUMER.CREATE.EVENTS_user.blog_authors'
    return ask<{ name?: string; error?: { description: string } }>(subject, request, blog)
  }
  const refusal = async (...forged: Parameters<typeof create>) => (await create(...forged)).error?.description
  assert.match((await refusal({ durable_name: 'auth_something' })) ?? '', /does not match durable name/)
  assert.match((await refusal({ durable_name: 'blog_authors' }, 'EVENTS_apikey')) ?? '', /does not match request/)
  // Here the server takes the name of the subject.
  assert.equal((await create({ name: 'auth_something' })).name, 'blog_authors')
  await ask('$JS.API.CONSUMER.DELETE.EVENTS_user.blog_authors', '', blog)
  // Another filter shows nothing of other streams.
  assert.equal((await create({ durable_name: 'blog_authors', filter_subject: 'apikey.>' })).name, 'blog_authors')
  const { num_pending } = await ask<{ num_pending: number }>('$JS.API.CONSUMER.INFO.EVENTS_user.blog_authors')
  assert.equal(num_pending, 0)
  await ask('$JS.API.CONSUMER.DELETE.EVENTS_user.blog_authors', '', blog)
})

/*
 * The server delivers a consumer's messages wherever the consumer or a pull says, whatever its user may publish. They keep the subject under
 * which they were stored, so nobody can send messages of its own as another's: consumers filter by subject, and handlers of every instance
 * compare it.
 */
test('messages that are delivered to the subject of another event keep their own', async () => {
  await admin.request('user.created', '{"userId":"a"}')
  const revoked = await countOf('EVENTS_apikey')
  const heard: string[] = []
  admin.subscribe('apikey.revoked', { callback: (_, { subject }) => void heard.push(subject) })
  await admin.flush()
  const blog = connections.get('blog')
  assert.ok(blog)
  const create = (more: object) =>
    ask(
      '$JS.API.CONSUMER.CREATE.EVENTS_user.blog_authors',
      {
        ...{ stream_name: 'EVENTS_user', config: { durable_name: 'blog_authors', ack_policy: 'explicit', ...more } },
      },
      blog,
    )
  await create({ deliver_subject: 'apikey.revoked' })
  const wanted = await countOf('EVENTS_user')
  await until('they are delivered there', () => heard.length === wanted)
  await ask('$JS.API.CONSUMER.DELETE.EVENTS_user.blog_authors', '', blog)
  await create({})
  await passes('blog', '$JS.API.CONSUMER.MSG.NEXT.EVENTS_user.blog_authors', '{"batch":1}', 'apikey.revoked')
  await until('one more is delivered there', () => heard.length === wanted + 1)
  assert.deepEqual(new Set(heard), new Set(['user.created']))
  // The stream stores them, as anything that is sent there, but under their own subject.
  await ask('$JS.API.CONSUMER.CREATE.EVENTS_apikey.someone', {
    ...{
      stream_name: 'EVENTS_apikey',
      config: { durable_name: 'someone', ack_policy: 'explicit', filter_subject: 'apikey.>' },
    },
  })
  const { num_pending } = await ask<{ num_pending: number }>('$JS.API.CONSUMER.INFO.EVENTS_apikey.someone')
  assert.equal(num_pending, revoked)
  // An answer of JetStream's API is stored under the subject that it is sent to, but without the headers of an event.
  await passes('blog', '$JS.API.STREAM.INFO.EVENTS_user', '', 'apikey.revoked')
  await until('it is delivered there', () => heard.includes('apikey.revoked'))
  const last = await ask<{ message: { hdrs?: string } }>('$JS.API.STREAM.MSG.GET.EVENTS_apikey', {
    last_by_subj: 'apikey.revoked',
  })
  assert.equal(last.message.hdrs, undefined)
})

test('whoever configures streams reads and forges everything, so no service may', async () => {
  const secret = headers()
  secret.set('ce-id', 'a secret')
  await admin.request('apikey.revoked', '{"apiKeyId":"a secret"}', { headers: secret, timeout: 30_000 })
  const forged: readonly [name: string, config: object][] = [
    ['DEAD_blog', { sources: [{ name: 'EVENTS_apikey' }] }],
    ['DEAD_blog', { mirror: { name: 'EVENTS_apikey' } }],
    [
      'DEAD_blog',
      { subjects: ['_TSMICRO.dead.blog.>'], republish: { src: '_TSMICRO.dead.blog.x', dest: 'user.created' } },
    ],
    ['DEAD_blog', { subjects: ['auth.validate.token'] }],
  ]
  const before = await Promise.all(NAMES.map(name => ask<Info>(`$JS.API.STREAM.INFO.${name}`)))
  for (const user of ['auth', 'blog', 'gateway', 'operator'] as const)
    for (const verb of ['CREATE', 'UPDATE'])
      for (const [name, config] of forged)
        assert.equal(await passes(user, `$JS.API.STREAM.${verb}.${name}`, JSON.stringify({ name, ...config })), false)
  const now = await Promise.all(NAMES.map(name => ask<Info>(`$JS.API.STREAM.INFO.${name}`)))
  assert.deepEqual(
    now.map(({ config }) => config),
    before.map(({ config }) => config),
  )
})
