import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheSubjectOf, UnusableError } from 'tsmicro'
import { contract, event, natsPermissionsOf, procedure } from 'tsmicro/contract'
import { NOT_PERMITTED, type Transport } from 'tsmicro/internal'
import Type from 'typebox'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const Ping = Type.Object({ n: Type.Integer() })
const auth = contract('auth', {
  ping: procedure({ nats: 'ping', access: 'internal', input: Ping, output: Ping }),
  hang: procedure({ nats: 'hang', access: 'internal' }),
  userCreated: event({ subject: 'user.created', aggregate: 'userId', data: Type.Object({ userId: Type.String() }) }),
})
const blog = contract('blog', { pong: procedure({ nats: 'pong', access: 'internal', input: Ping, output: Ping }) })
const USERS = [
  natsPermissionsOf({ service: 'auth', serves: [auth] }),
  natsPermissionsOf({ service: 'blog', serves: [blog], calls: [auth], consumes: [auth] }),
]

/** What the server answers to a subscription. */
async function subscribed(nats: Transport, subject: string): Promise<string | undefined> {
  return new Promise(resolve => {
    nats.subscribe(subject, {
      callback: error => {
        if (error) resolve(error.message)
      },
    })
    nats.flush().then(() => setImmediate(() => resolve(undefined)))
  })
}

export async function permissions(open: OpenNetwork) {
  const network = await open(USERS)

  /** A connection of a service's user, and what the server refused it. */
  const as = async (user: string): Promise<{ nats: Transport; refused: string[] }> => {
    const nats = await network.raw(user)
    const refused: string[] = []
    void (async () => {
      for await (const status of nats.status()) if (status.type === 'error') refused.push(status.error.message)
    })()
    return { nats, refused }
  }

  test('services call each other and receive replies', async () => {
    const { nats } = await as('auth')
    nats.subscribe('auth.ping', { queue: 'q', callback: (_, msg) => void msg.respond(msg.data) })
    await nats.flush()
    const client = network.client('blog')
    await client.connect()
    assert.deepEqual(await client.client(auth).ping({ n: 7 }), { n: 7 })
    await client.close()
    await nats.close()
  })

  test('batches and cancellations are permitted as well', async () => {
    const { nats, refused } = await as('auth')
    const cancelled: string[] = []
    nats.subscribe('_TSMICRO.cancel.auth', { callback: (_, msg) => void cancelled.push(msg.string()) })
    nats.subscribe('auth.ping', { queue: 'q', callback: (_, msg) => void msg.respond(msg.data) })
    nats.subscribe('auth.ping.batch', {
      queue: 'q',
      // Each in a message of its own, as for calls of different duration.
      callback: (_, msg) => {
        for (const [token, , , data] of JSON.parse(msg.string())) msg.respond(JSON.stringify([[token, data]]))
      },
    })
    await nats.flush()
    const client = network.client('blog', { batching: { maxCalls: 1000 } })
    await client.connect()
    const calls = Array.from({ length: 150 }, (_, n) => client.client(auth).ping({ n }))
    assert.deepEqual(
      (await Promise.all(calls)).map(({ n }) => n),
      calls.map((_, n) => n),
    )
    const controller = new AbortController()
    nats.subscribe('auth.hang', { callback: () => controller.abort(new Error('enough')) })
    await nats.flush()
    await assert.rejects(client.client(auth).hang({}, { signal: controller.signal }), /enough/)
    await until('the cancellation is heard', () => cancelled.length === 1)
    assert.deepEqual(refused, [])
    await client.close()
    await nats.close()
  })

  test('blog can neither announce for auth, nor answer for it, nor read its replies', async () => {
    const { nats, refused } = await as('blog')
    nats.publish('user.created', '{}')
    nats.publish('_INBOX_auth.guess.1', '{}')
    nats.publish('auth.other', '{}')
    nats.publish('auth.other.batch', '[]')
    nats.publish('_TSMICRO.cancel.blog', 'x')
    await nats.flush()
    await nats.flush()
    assert.deepEqual(
      refused.map(message => /"([^"]+)"/.exec(message)?.[1]),
      ['user.created', '_INBOX_auth.guess.1', 'auth.other', 'auth.other.batch', '_TSMICRO.cancel.blog'],
    )
    for (const subject of [
      'auth.>',
      'auth.ping',
      '_INBOX_auth.>',
      '_INBOX.>',
      '>',
      '*.>',
      '$SRV.PING.auth',
      '$SYS.>',
      '_TSMICRO.cancel.auth',
      'auth.ping.batch',
    ]) {
      assert.match((await subscribed(nats, subject)) ?? 'allowed', /[Pp]ermissions [Vv]iolation/, subject)
    }
    assert.equal(await subscribed(nats, 'user.created'), undefined)
    await nats.close()
  })

  test('a refused subscription is reported with its queue, and receives nothing', async () => {
    const { nats, refused } = await as('blog')
    const told: string[] = []
    nats.subscribe('auth.ping', { queue: 'q', callback: error => void told.push(String(error?.message)) })
    await until('it is told', () => refused.length === 1)
    assert.deepEqual(told, refused)
    assert.match(String(refused[0]), /Subscription to "auth.ping" using queue "q"/)
    await nats.close()
  })

  test('a callee may answer once for each call of a batch, and no more', async () => {
    const [asked, asking] = [await as('auth'), await as('blog')]
    const answers: string[] = []
    asking.nats.subscribe('_INBOX_blog.x', { callback: (_, msg) => void answers.push(msg.string()) })
    asked.nats.subscribe('auth.ping', {
      callback: (_, msg) => {
        for (let n = 1; n <= 65; n++) msg.respond(String(n))
      },
    })
    await Promise.all([asked.nats.flush(), asking.nats.flush()])
    asking.nats.publish('auth.ping', '', { reply: '_INBOX_blog.x' })
    await until('one is refused', () => asked.refused.length > 0)
    await until('the others arrived', () => answers.length >= 64)
    assert.deepEqual([asked.refused.length, answers.at(-1), answers.length], [1, '64', 64])
    await Promise.all([asked.nats.close(), asking.nats.close()])
  })

  test('only the replicas of a service can send and receive what to forget', async () => {
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

  test('auth cannot call what it does not declare', async () => {
    const client = network.client('auth')
    await client.connect()
    await assert.rejects(client.client(blog).pong({ n: 1 }), error => {
      assert.ok(error instanceof NOT_PERMITTED)
      assert.match(error.message, /user "auth" may not call "blog.pong": .*`calls`/)
      return true
    })
    await client.close()
  })

  test('an unknown user cannot connect', async () => {
    await assert.rejects(network.client('stranger').connect(), error => {
      assert.ok(error instanceof UnusableError)
      assert.match(error.message, /^NATS refuses user "stranger": Authorization Violation/)
      return true
    })
  })
}
