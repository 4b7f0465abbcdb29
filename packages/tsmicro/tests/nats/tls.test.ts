import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { makeAuthority, startNats } from '@tsmicro/infra'
import { implement, NatsClient } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { SERVICE_UNAVAILABLE, unusableIn } from '../../src/errors/index.ts'
import { connected } from '../../src/nats/refusal.ts'
import { parseServerUrl } from '../../src/nats/server-url.ts'
import { certificateFolder } from '../support/certificates.ts'
import { RecordedLog } from '../support/log.ts'
import { build } from '../support/service.ts'
import { until } from '../support/until.ts'

const resources = new AsyncDisposableStack()
after(() => resources.disposeAsync())
const folder = resources.use(certificateFolder())
const ours = makeAuthority('ours')
const theirs = makeAuthority('theirs')
const ca = folder.write('ca.pem', ours.cert)
const otherCa = folder.write('other-ca.pem', theirs.cert)
const server = folder.pair('server', ours.issue(['localhost']))
const present = (certificate: ReturnType<typeof folder.pair>) =>
  `&tlscert=${certificate.certFile}&tlskey=${certificate.keyFile}`
const own = present(folder.pair('client', ours.issue(['app'])))
const withTls = resources.use(await startNats({ ephemeral: true, tls: server }))
const mutual = resources.use(await startNats({ ephemeral: true, tls: { ...server, clientCaFile: ca } }))

const at = (url: string, parameters: string, host = 'localhost') => `${url.replace('127.0.0.1', host)}?${parameters}`

/** Undefined if it connects; else why it never will. Tries again after a time-out, as on a busy machine. */
async function refusal(url: string): Promise<string | undefined> {
  let reason: string | undefined
  await until('it connects or is refused for good', async () => {
    const nats = new NatsClient({ url, name: 'tests' })
    try {
      await nats.connect()
      return true
    } catch (error) {
      reason = unusableIn(error)?.message
      return reason !== undefined
    } finally {
      await nats.close()
    }
  })
  return reason
}

test('a certificate is checked, for its authority and for the name in the URL', async () => {
  const { url } = withTls
  assert.match(url, /^tls:\/\/127\.0\.0\.1:\d+$/)
  assert.equal(await refusal(at(url, `tlsca=${ca}`)), undefined)
  // A server that requires TLS is never talked to without, and parameters ask for it as tls:// does.
  assert.equal(await refusal(at(url.replace('tls:', 'nats:'), `tlsca=${ca}`)), undefined)
  const untrusted = /^NATS at localhost:\d+: unable to verify.*: name the authority .* in tlsca of its URL$/
  for (const address of [at(url, `tlsca=${otherCa}`), at(url, ''), at(url.replace('tls:', 'nats:'), '')])
    assert.match((await refusal(address)) ?? 'connected', untrusted)
  // The certificate is for localhost alone. Its address is another name.
  const named = (await refusal(at(url, `tlsca=${ca}`, '127.0.0.1'))) ?? 'connected'
  assert.match(named, /IP: 127\.0\.0\.1 is not in the cert's list.*: use a host name that is in the certificate/)
})

test('a server without TLS, and files that cannot be used, are refused', async () => {
  await using plain = await startNats({ ephemeral: true })
  const noTls = /the server has no TLS: give it a certificate, or use nats:\/\//
  assert.match((await refusal(plain.url.replace('nats:', 'tls:'))) ?? 'connected', noTls)
  assert.match((await refusal(`${plain.url}?tlsca=${ca}`)) ?? 'connected', noTls)
  const first = await refusal(`${plain.url.replace('nats:', 'tls:')}?tlsfirst`)
  assert.match(first ?? 'connected', /: the server has no TLS on this port, or does not begin with it: check the port/)
  const { url } = mutual
  const mixed = `tlsca=${ca}&tlscert=${folder.write('mixed', ours.cert)}&tlskey=${server.keyFile}`
  const cases: readonly (readonly [string, RegExp])[] = [
    [`tlsca=${ca}.missing`, /tlsca of NATS cannot be read: ENOENT/],
    [`tlscert=${ca}`, /only one of tlscert and tlskey/],
    [mixed, /key values mismatch: tlscert and tlskey of its URL do not belong together/],
    ['sslmode=require', /has the parameter "sslmode": use creds, nkey, tlsca, tlscert, tlskey/],
    ['tlsca', /has the parameter "tlsca"/],
  ]
  for (const [parameters, expected] of cases)
    assert.match((await refusal(at(url, parameters))) ?? 'connected', expected, parameters)
})

test('of several servers, one that refuses us is told only if all do: another may just be down', async () => {
  const { host } = new URL(withTls.url.replace('127.0.0.1', 'localhost'))
  const parameters = `?tlsca=${otherCa}`
  const other = new URL(mutual.url.replace('127.0.0.1', 'localhost')).host
  const untrusted = /: unable to verify.*: name the authority .* in tlsca of its URL$/
  assert.match((await refusal(`tls://${host},${other}${parameters}`)) ?? 'connected', untrusted)
  for (const hosts of [`${host},localhost:1`, `localhost:1,${host}`]) {
    const nats = new NatsClient({ url: `tls://${hosts}${parameters}`, name: 'tests' })
    const mayWorkLater = (error: unknown) => error instanceof SERVICE_UNAVAILABLE && unusableIn(error) === undefined
    await assert.rejects(nats.connect(), mayWorkLater)
  }
})

test('no connection is left to a server that never answers', async () => {
  const silent = createServer()
  resources.defer(() => void silent.close())
  await once(silent.listen(0, '127.0.0.1'), 'listening')
  const arrived = once(silent, 'connection')
  const { port } = silent.address() as AddressInfo
  const gaveUp = arrived.then(() => assert.fail('no answer'))
  await assert.rejects(connected(gaveUp, parseServerUrl(`tls://127.0.0.1:${port}`)), /no answer/)
  const count = promisify(silent.getConnections.bind(silent)) as () => Promise<number>
  await until('none is left', async () => (await count()) === 0)
})

test('a server that wants a client certificate accepts those of its authority', async () => {
  const { url } = mutual
  assert.equal(await refusal(at(url, `tlsca=${ca}${own}`)), undefined)
  const wanted = /it wants a valid client certificate .*: check tlscert and tlskey of its URL$/
  assert.match((await refusal(at(url, `tlsca=${ca}`))) ?? 'connected', wanted)
  const foreign = present(folder.pair('foreign', theirs.issue(['app'])))
  assert.match((await refusal(at(url, `tlsca=${ca}${foreign}`))) ?? 'connected', wanted)
  const expired = present(folder.pair('expired', ours.issue(['app'], { expired: true })))
  assert.match((await refusal(at(url, `tlsca=${ca}${expired}`))) ?? 'connected', wanted)
})

const front = contract('front', {
  greet: procedure({ http: 'GET /greet', access: 'open', output: Type.Object({ text: Type.String() }) }),
})
const greeting = contract('greeter', {
  greet: procedure({ nats: 'greet', access: 'internal', output: Type.Object({ text: Type.String() }) }),
})

test('certificates are renewed while services run: a restarted server is found again, and what is wrong is told', async () => {
  const rotated = folder.pair('rotated', ours.issue(['localhost']))
  await using nats = await startNats({ ephemeral: true, tls: { ...rotated, clientCaFile: ca } })
  const files = folder.pair('rotated-client', ours.issue(['app']))
  const url = at(nats.url, `tlsca=${ca}${present(files)}`)
  await using greeter = build({
    name: 'greeter',
    natsUrl: url,
    handlers: [implement(greeting, { greet: () => ({ text: 'hello' }) })],
  })
  await greeter.service.start()
  const log = new RecordedLog()
  const client = new NatsClient({ url, name: 'front', log, reconnectWaitMs: 20 })
  const greet = () => client.client(greeting).greet()
  await using fronted = build({
    name: 'front',
    nats: client,
    calls: [greeting],
    handlers: [implement(front, { greet })],
  })
  await fronted.service.start()
  assert.deepEqual(await greet(), { text: 'hello' })
  const answers = () =>
    greet().then(
      () => true,
      () => false,
    )

  // All renewed: the server's, and ours, under the names that they had.
  folder.pair('rotated', ours.issue(['localhost']))
  folder.pair('rotated-client', ours.issue(['app']))
  await nats.restart()
  await until('calls are answered again', answers)

  // Expired: no call waits, none is 401, 403 or 404, and the log says why.
  folder.pair('rotated', ours.issue(['localhost'], { expired: true }))
  await nats.restart()
  await until('the reason is told', () => log.at('error').some(({ message }) => /has expired: renew/.test(message)))
  await assert.rejects(greet(), (error: unknown) => error instanceof SERVICE_UNAVAILABLE && error.status === 503)
  const answer = await fetch(`${fronted.service.url}/greet`)
  assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [503, 'SERVICE_UNAVAILABLE'])
  folder.pair('rotated', ours.issue(['localhost']))
  await nats.restart()
  await until('calls are answered again', answers)

  // Our own is missing for a moment, as while somebody replaces it.
  const { key, cert } = ours.issue(['app'])
  folder.write('rotated-client.key', '')
  await nats.restart()
  await until('the reason is told', () =>
    log.at('error').some(({ message }) => /cannot be reached: .*tlskey/.test(message)),
  )
  folder.pair('rotated-client', { cert, key })
  await until('calls are answered again', answers)
  // Each reason once, however often it was tried.
  const told = log.at('error').map(({ message }) => message)
  assert.equal(new Set(told).size, told.length)
})
