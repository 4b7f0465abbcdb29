import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { freePort, type Server, startNats } from '@tsmicro/infra'
import { protectedGateway, type VerifierHandler } from './apikey-support.ts'
import { configOf, gatewayFor, recordingLog, send, until } from './support.ts'

const byName: VerifierHandler = (key, res) => res.end(JSON.stringify({ valid: true, id: key, permissions: [] }))

const nats: Server = await startNats({ ephemeral: true })
after(() => nats.stop())

async function announcer(): Promise<NatsConnection> {
  const connection = await connect({ servers: new URL(nats.url).host })
  after(() => connection.close())
  return connection
}

const listening = (log: ReturnType<typeof recordingLog>) =>
  log.lines.some(line => line.includes('listening for revoked'))

async function gatewayOnNats(url: string) {
  const log = recordingLog()
  const setup = await protectedGateway({ verifier: byName, config: { cache_ttl: 3600 }, options: { nats: url, log } })
  const status = async (key: string) => (await send(setup.port, { path: '/api', headers: { 'x-api-key': key } })).status
  return { ...setup, log, status }
}

test('events of the auth service count; malformed ones are ignored', async () => {
  await using setup = await gatewayOnNats(nats.url)
  const { status, log } = setup
  await until(() => listening(log), 'the gateway listens')
  const auth = await announcer()
  assert.deepEqual([await status('a'), await status('b'), await status('7')], [200, 200, 200])
  for (const junk of ['', 'a', 'null', '[]', '"a"', '{}', '{"apiKeyId":7}', '{"apiKeyId":""}', '{"id":"a"}', '\xff{'])
    auth.publish('apikey.revoked', junk)
  auth.publish('apikey.created', '{"apiKeyId":"b"}')
  auth.publish('apikey.revoked', '{"apiKeyId":"a","more":[]}')
  await until(async () => (await status('a')) === 401, 'the key is refused')
  assert.deepEqual([await status('b'), await status('7')], [200, 200])
  assert.ok(log.lines.some(line => line.includes('without an apiKeyId')))
})

test('NATS may start later, stop and come back: requests are answered all the time, and events count', async () => {
  await using setup = await gatewayOnNats(nats.url)
  const { status, log } = setup
  await until(() => listening(log), 'the gateway listens')
  assert.equal(await status('c'), 200)
  nats.kill('SIGKILL')
  assert.equal(await status('c'), 200)
  assert.equal(await status('d'), 200)
  await nats.restart()
  const auth = await announcer()
  await until(async () => {
    auth.publish('apikey.revoked', '{"apiKeyId":"c"}')
    return (await status('c')) === 401
  }, 'events count again')
  assert.equal(await status('d'), 200)
})

test('a gateway starts, works and ends although NATS is down', async () => {
  const setup = await gatewayOnNats(`nats://gateway:secret@127.0.0.1:${await freePort()}`)
  await using _ = setup
  assert.equal(await setup.status('e'), 200)
  await until(() => setup.log.lines.some(line => line.includes('trying again')), 'the log says so')
  assert.ok(!setup.log.lines.join('\n').includes('secret'))
  await setup.gateway.close()
})

test('a malformed address prevents the start', async () => {
  for (const url of ['', 'here', 'http://a:1', 'nats://', 'tls://a:1', 'nats://a:1?tlsca=/ca.pem'])
    await assert.rejects(gatewayFor(configOf([]), { nats: url }), TypeError)
})
