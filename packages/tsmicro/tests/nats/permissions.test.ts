import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { type Server, startNats } from '@tsmicro/infra'
import { NatsClient, SERVICE_UNAVAILABLE } from 'tsmicro'
import { cacheSubjectOf, contract, event, natsAuthorization, natsPermissionsOf, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { until } from '../support/until.ts'

const Ping = Type.Object({ n: Type.Integer() })
const auth = contract('auth', {
  ping: procedure({ nats: 'ping', access: 'internal', request: Ping, response: Ping }),
  userCreated: event({ subject: 'user.created', aggregate: 'userId', data: Type.Object({ userId: Type.String() }) }),
})
const blog = contract('blog', { pong: procedure({ nats: 'pong', access: 'internal', request: Ping, response: Ping }) })
const USERS = [
  natsPermissionsOf({ service: 'auth', serves: [auth] }),
  natsPermissionsOf({ service: 'blog', serves: [blog], calls: [auth], consumes: [auth] }),
]

let directory: string
let server: Server
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tsmicro-permissions-'))
  const file = join(directory, 'nats.conf')
  await writeFile(
    file,
    natsAuthorization(USERS, user => JSON.stringify(`${user}-password`)),
  )
  server = await startNats({ ephemeral: true, extraArgs: ['-c', file] })
})
after(async () => {
  await server?.stop()
  await rm(directory, { recursive: true, force: true })
})

/** A connection as a service's user, and what the server refused it. */
async function as(user: string): Promise<{ nats: NatsConnection; refused: string[] }> {
  const nats = await connect({ servers: new URL(server.url).host, user, pass: `${user}-password` })
  const refused: string[] = []
  void (async () => {
    for await (const status of nats.status()) if (status.type === 'error') refused.push(status.error.message)
  })()
  return { nats, refused }
}

/** What the server says to a subscription. */
async function subscribed(nats: NatsConnection, subject: string): Promise<string | undefined> {
  return new Promise(resolve => {
    nats.subscribe(subject, {
      callback: error => {
        if (error) resolve(error.message)
      },
    })
    nats.flush().then(() => setImmediate(() => resolve(undefined)))
  })
}

function urlFor(user: string): string {
  return server.url.replace('://', `://${user}:${user}-password@`)
}

test('services call each other and hear their replies', async () => {
  const { nats } = await as('auth')
  nats.subscribe('auth.ping', { queue: 'q', callback: (_, msg) => void msg.respond(msg.data) })
  await nats.flush()
  const client = new NatsClient({ url: urlFor('blog'), name: 'blog' })
  await client.connect()
  assert.deepEqual(await client.call(auth.ping, { n: 7 }), { n: 7 })
  await client.close()
  await nats.close()
})

test('blog can neither announce for auth, nor answer for it, nor read its replies', async () => {
  const { nats, refused } = await as('blog')
  nats.publish('user.created', '{}')
  nats.publish('_INBOX_auth.guess.1', '{}')
  nats.publish('auth.other', '{}')
  await nats.flush()
  await nats.flush()
  assert.deepEqual(
    refused.map(message => /"([^"]+)"/.exec(message)?.[1]),
    ['user.created', '_INBOX_auth.guess.1', 'auth.other'],
  )
  for (const subject of ['auth.>', 'auth.ping', '_INBOX_auth.>', '_INBOX.>', '>', '*.>', '$SRV.PING.auth', '$SYS.>']) {
    assert.match((await subscribed(nats, subject)) ?? 'allowed', /[Pp]ermissions [Vv]iolation/, subject)
  }
  assert.equal(await subscribed(nats, 'user.created'), undefined)
  await nats.close()
})

test('the replicas of a service tell each other what to forget, and nobody else hears or says it', async () => {
  const subject = cacheSubjectOf('blog')
  const blog = await as('blog')
  const heard: string[] = []
  blog.nats.subscribe(`${subject}.>`, { callback: (_, msg) => void heard.push(msg.string()) })
  blog.nats.publish(`${subject}.all`, 'forget')
  await until('it is heard', () => heard.length === 1)
  assert.deepEqual(blog.refused, [])
  const auth = await as('auth')
  assert.match((await subscribed(auth.nats, `${subject}.>`)) ?? 'allowed', /[Pp]ermissions [Vv]iolation/)
  auth.nats.publish(`${subject}.all`, 'forget what I say')
  await until('it is refused', () => auth.refused.length > 0)
  await blog.nats.flush()
  assert.deepEqual(heard, ['forget'])
  await Promise.all([blog.nats.close(), auth.nats.close()])
})

test('auth cannot call what it does not say it calls', async () => {
  const client = new NatsClient({ url: urlFor('auth'), name: 'auth' })
  await client.connect()
  await assert.rejects(client.call(blog.pong, { n: 1 }), SERVICE_UNAVAILABLE)
  await client.close()
})

test('nobody gets in without credentials, or with wrong ones', async () => {
  const servers = new URL(server.url).host
  await assert.rejects(connect({ servers, reconnect: false }), /[Aa]uthorization/)
  await assert.rejects(connect({ servers, user: 'blog', pass: 'auth-password', reconnect: false }), /[Aa]uthorization/)
})
