import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startNats } from '@tsmicro/infra'
import { createStreams, implement, NatsClient, on } from 'tsmicro'
import {
  contract,
  event,
  type NatsPermissions,
  natsAuthorization,
  natsPermissionsOf,
  procedure,
} from 'tsmicro/contract'
import { NOT_PERMITTED, natsStreamsOf, streamsOf } from 'tsmicro/internal'
import Type from 'typebox'
import { RecordedLog } from '../support/log.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'

const shop = contract('shop', {
  item: procedure({ nats: 'item', access: 'internal', output: Type.String() }),
  turned: event({ subject: 'world.turned', aggregate: 'id', data: Type.Object({ id: Type.String() }) }),
})
const access = { service: 'shop', serves: [shop], consumes: [shop] }
const whole = natsPermissionsOf(access)
const operator = natsStreamsOf('operator')
const caller = natsPermissionsOf({ service: 'caller', serves: [], calls: [shop] })

const directory = await mkdtemp(join(tmpdir(), 'tsmicro-reload-'))
after(() => rm(directory, { recursive: true, force: true }))
const file = join(directory, 'nats.conf')
const configure = (...users: NatsPermissions[]) =>
  writeFile(
    file,
    natsAuthorization(users, user => JSON.stringify(`${user}-password`)),
  )
await configure(whole, caller, operator)
const server = await startNats({ ephemeral: true, extraArgs: ['-c', file] })
after(() => server.stop())
const log = new RecordedLog()
const clientAs = (name: string) =>
  new NatsClient({ url: server.url.replace('://', `://${name}:${name}-password@`), name, log, reconnectWaitMs: 20 })

const streams = clientAs('operator')
await streams.connect()
await createStreams(streams, streamsOf(access), log)
await streams.close()

test('when a reload takes a permission away, the service is not ready until it is back', async () => {
  const { service } = await serve({
    nats: clientAs('shop'),
    handlers: [
      implement(shop, { item: () => 'an item' }),
      on(shop.turned, { everyInstance: true }, () => {}),
      on(shop.turned, { everyInstance: true }, () => {}),
    ],
  })
  after(() => service.stop())
  const client = clientAs('caller')
  await client.connect()
  after(() => client.close())
  const reload = async (...users: NatsPermissions[]) => {
    await configure(...users)
    server.kill('SIGHUP')
  }
  const health = async () => {
    const answer = await fetch(`${service.url}/health/ready`)
    const { ready, dependencies } = (await answer.json()) as { ready: boolean; dependencies: Record<string, object> }
    return [answer.status, ready, (dependencies.nats as { status: string }).status]
  }
  assert.deepEqual(await health(), [200, true, 'up'])
  for (const lost of ['shop.>', 'world.turned']) {
    await reload({ ...whole, subscribe: whole.subscribe.filter(subject => subject !== lost) }, caller)
    await until('it is not ready', async () => (await health())[0] === 503)
    assert.deepEqual(await health(), [503, false, 'down'])
    await reload(whole, caller)
    await until('it is ready again', async () => (await health())[0] === 200)
    assert.equal(await client.client(shop).item(), 'an item')
  }
  assert.ok(log.at('error').some(({ message }) => /^NATS user "shop" may not subscribe "world.turned"/.test(message)))
  assert.ok(log.at('error').every(({ fields }) => fields.err === undefined))

  // A client that may no longer hear replies.
  await reload(whole, { ...caller, subscribe: ['nothing'] })
  await until('calls fail at once', async () => {
    const outcome = await client
      .client(shop)
      .item({}, { timeoutMs: 200 })
      .catch(error => error)
    return outcome instanceof NOT_PERMITTED
  })
  await reload(whole, caller)
  const works = () =>
    client
      .client(shop)
      .item({}, { timeoutMs: 200 })
      .then(
        () => true,
        () => false,
      )
  await until('calls work again', works)
})
