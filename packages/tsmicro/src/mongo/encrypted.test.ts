import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeAuthority, startDocuments } from '@tsmicro/infra'
import { certificateFolder } from '../../tests/support/certificates.ts'
import { until } from '../../tests/support/until.ts'
import { SERVICE_UNAVAILABLE, unusableIn } from '../errors/index.ts'
import { createMongo } from './index.ts'

const resources = new AsyncDisposableStack()
after(() => resources.disposeAsync())
const folder = resources.use(certificateFolder())
const ours = makeAuthority('ours')
const theirs = makeAuthority('theirs')
const ca = folder.write('ca.pem', ours.cert)
const otherCa = folder.write('other-ca.pem', theirs.cert)
const inOneFile = (name: string, { cert, key }: { cert: string; key: string }) => folder.write(name, cert + key)
const own = `&tlsCertificateKeyFile=${inOneFile('client.pem', ours.issue(['app']))}`
const server = folder.pair('server', ours.issue(['localhost']))
const documents = resources.use(await startDocuments({ ephemeral: true, tls: { ...server, clientCaFile: ca } }))

const at = (parameters: string, host = 'localhost') => `${documents.url.replace('127.0.0.1', host)}&${parameters}`
const open = (url: string) => createMongo({ url, database: 'encrypted', serverSelectionTimeoutMs: 2000 })

/** Undefined if it connects; else why it never will. */
async function refusal(url: string): Promise<string | undefined> {
  const mongo = open(url)
  try {
    await mongo.connect()
    return undefined
  } catch (error) {
    assert.ok(error instanceof SERVICE_UNAVAILABLE, String(error))
    return unusableIn(error)?.message ?? `may work later: ${(error.cause as Error).message}`
  } finally {
    await mongo.close()
  }
}

test('the certificates of both sides are checked', async () => {
  assert.match(documents.url, /\/\?tls=true$/)
  await until('it connects', async () => (await refusal(at(`tlsCAFile=${ca}${own}`))) === undefined)
  const foreign = `&tlsCertificateKeyFile=${inOneFile('foreign.pem', theirs.issue(['app']))}`
  const mixed = `&tlsCertificateKeyFile=${folder.write('mixed.pem', ours.issue(['app']).cert + theirs.key)}`
  const cases: readonly (readonly [url: string, expected: RegExp])[] = [
    [at(`tlsCAFile=${otherCa}${own}`), /^MongoDB: .*certificate.*: name the authority .* in tlsCAFile of its URL/],
    [at('directConnection=true'), /in tlsCAFile of its URL/],
    [at(`tlsCAFile=${ca}${own}`, '127.0.0.1'), /IP: 127\.0\.0\.1 is not in.*: use a host name/],
    [at(`tlsCAFile=${ca}`), /wants a valid client certificate .*: check tlsCertificateKeyFile of its URL$/],
    [at(`tlsCAFile=${ca}${mixed}`), /: certificate and key in tlsCertificateKeyFile of its URL do not belong together/],
    [at(`tlsCAFile=${ca}.missing`), /ENOENT.*: check tls, tlsCAFile/],
    // Node ends such a connection without an alert.
    [at(`tlsCAFile=${ca}${foreign}`), /^may work later/],
  ]
  // Until it says so: on a busy machine the driver may only find that nobody has answered yet.
  const check = ([url, expected]: (typeof cases)[number]) =>
    until(`${expected}`, async () => expected.test((await refusal(url)) ?? assert.fail(`connected: ${expected}`)))
  await Promise.all(cases.map(check))
  // Without TLS, nothing is understood.
  const { username, password, host } = new URL(documents.url)
  assert.match((await refusal(`mongodb://${username}:${password}@${host}/`)) ?? 'connected', /^may work later/)
})

test('a server that restarts with a new certificate is found again; one that has expired is told, as 503', async () => {
  await using mongo = { ...open(at(`tlsCAFile=${ca}${own}`)), [Symbol.asyncDispose]: () => mongo.close() }
  const rows = mongo.collection<{ _id: number }>('rows')
  await rows.insertOne({ _id: 1 })
  const found = () =>
    rows.findOne({ _id: 1 }).then(
      row => row !== undefined,
      (error: unknown) => {
        assert.ok(error instanceof SERVICE_UNAVAILABLE && error.status === 503, String(error))
        return /has expired: renew/.test(unusableIn(error)?.message ?? '') ? 'expired' : false
      },
    )
  folder.pair('server', ours.issue(['localhost']))
  await documents.restart()
  await until('it is found again', async () => (await found()) === true)
  folder.pair('server', ours.issue(['localhost'], { expired: true }))
  await documents.restart()
  await until('it is told', async () => (await found()) === 'expired')
  folder.pair('server', ours.issue(['localhost']))
  await documents.restart()
  await until('it is found again', async () => (await found()) === true)
})
