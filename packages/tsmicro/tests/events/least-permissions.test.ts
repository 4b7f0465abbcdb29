import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPublisher, on, StartError } from 'tsmicro'
import { contract, event, natsPermissionsOf } from 'tsmicro/contract'
import { JetStream, type NatsAccess, natsListenerOf } from 'tsmicro/internal'
import Type from 'typebox'
import { openServer } from '../conformance/network/server.ts'
import { build, serve } from '../support/service.ts'
import { until } from '../support/until.ts'

const users = contract('auth', {
  userCreated: event({ subject: 'user.created', aggregate: 'userId', data: Type.Object({ userId: Type.String() }) }),
})
const { userCreated } = users
const auth: NatsAccess = { service: 'auth', serves: [users] }
const blog: NatsAccess = { service: 'blog', serves: [], handles: { authors: [users] } }

test('with the least permissions and streams that an operator has created, events arrive, and bad ones are kept', async () => {
  const network = await openServer([
    natsPermissionsOf(auth),
    natsPermissionsOf(blog),
    natsListenerOf('gateway', [users]),
  ])
  const announcing = () => build({ network, name: 'auth', publishes: [users], startTimeoutMs: 600_000 })
  await assert.rejects(announcing().service.start(), (error: unknown) => {
    assert.ok(error instanceof StartError)
    assert.match(
      error.message,
      /^JetStream cannot be used: stream EVENTS_user is missing .*user "auth" may not .*createStreams/,
    )
    return true
  })
  await network.streams('auth', [users])
  await network.streams('blog', [], blog.handles)

  await using source = announcing()
  await source.service.start()
  const taken: string[] = []
  const authors = on(userCreated, { name: 'authors', effect: 'idempotent', tries: 1 }, ({ data }) => {
    if (data.userId === 'bad') throw new Error('poison')
    taken.push(data.userId)
  })
  await using consumer = await serve({ network, name: 'blog', handlers: [authors], startTimeoutMs: 600_000 })
  assert.deepEqual(natsPermissionsOf(consumer.service.natsAccess), natsPermissionsOf(blog))
  const publisher = createPublisher(source.nats, 'auth')
  for (const userId of ['a', 'bad', 'b']) await publisher.publish(userCreated, { userId }, { sequence: 1 })
  await until('the good ones are handled', () => taken.length === 2)
  await until('the bad one is kept', async () => {
    const { state } = (await new JetStream(consumer.nats).stream('DEAD_blog')) ?? {}
    return state?.messages === 1
  })
  const refusals = [...source.log.lines, ...consumer.log.lines].filter(({ message }) => message.includes('may not'))
  assert.deepEqual(refusals, [])
})
