import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { after, test } from 'node:test'
import { locateRedis, makeAuthority, startRedis } from '@tsmicro/infra'
import { certificateFolder } from '../../../tests/support/certificates.ts'
import { RecordedLog } from '../../../tests/support/log.ts'
import { until } from '../../../tests/support/until.ts'
import { UnusableError } from '../../errors/index.ts'
import { RedisLink } from './link.ts'

const skip = (await locateRedis()) === undefined ? 'there is no redis-server on this machine' : false
const resources = new AsyncDisposableStack()
after(() => resources.disposeAsync())
const folder = resources.use(certificateFolder())
const ours = makeAuthority('ours')
const theirs = makeAuthority('theirs')
const cacert = folder.write('ca.pem', ours.cert)

function openLink(url: string) {
  const log = new RecordedLog()
  const link = new RedisLink(url, log)
  resources.defer(() => link.close())
  const answers = async () => (await link.run("return {'yes'}", [], []))?.[0] === 'yes'
  const told = () => log.at('warn').map(({ message }) => message)
  return { link, answers, told }
}

const present = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => `&cert=${certFile}&key=${keyFile}`

test('Redis with TLS: certificates of both sides are checked, and what is wrong is told once', { skip }, async () => {
  const server = folder.pair('server', ours.issue(['localhost']))
  await using redis = await startRedis({ ephemeral: true, tls: { ...server, clientCaFile: cacert } })
  assert.match(redis.url, /^rediss:\/\/default:.*@127\.0\.0\.1:\d+$/)
  const at = (parameters: string, host = 'localhost') => `${redis.url.replace('127.0.0.1', host)}?${parameters}`
  const own = present(folder.pair('client', ours.issue(['app'])))
  const good = openLink(at(`cacert=${cacert}${own}`))
  await good.link.connect()
  await until('it answers', good.answers)
  assert.deepEqual(good.told(), [])

  const foreign = present(folder.pair('foreign', theirs.issue(['app'])))
  const cases: readonly (readonly [url: string, expected: RegExp])[] = [
    [at(`cacert=${folder.write('other', theirs.cert)}${own}`), /: name the authority .* in cacert of its URL$/],
    [at(`cacert=${cacert}${own}`, '127.0.0.1'), /IP: 127\.0\.0\.1 is not in.*: use a host name/],
    [at(`cacert=${cacert}`), /wants a valid client certificate .*: check cert and key of its URL$/],
    [at(`cacert=${cacert}${foreign}`), /wants a valid client certificate .*: check cert and key of its URL$/],
  ]
  const check = async ([url, expected]: (typeof cases)[number]) => {
    const { link, answers, told } = openLink(url)
    await link.connect()
    await until('it is told', () => told().some(line => expected.test(line)))
    assert.equal(await answers(), false)
    assert.doesNotMatch(told().join(), new RegExp(new URL(redis.url).password))
    link.close()
  }
  await Promise.all(cases.map(check))

  // A file that cannot be read is reported as well, and read again until it can be.
  const missing = folder.write('late.pem', '')
  await rm(missing)
  const late = openLink(at(`cacert=${missing}${own}`))
  await late.link.connect()
  const unread = () => late.told().filter(line => /cacert of Redis cannot be read: ENOENT/.test(line)).length
  await until('it is told', () => unread() === 1)
  folder.write('late.pem', ours.cert)
  await until('it answers', late.answers)
  await rm(missing)

  // Both certificates are renewed, under the names that they had; then the server's has expired for a while.
  folder.pair('server', ours.issue(['localhost']))
  folder.pair('client', ours.issue(['app']))
  await redis.restart()
  await until('it answers again', good.answers)
  // For the new connection all files are read again, also where the server would accept the old ones.
  await until('it is told', () => unread() === 2)
  late.link.close()
  folder.pair('server', ours.issue(['localhost'], { expired: true }))
  await redis.restart()
  await until('it is told', () => good.told().some(line => /has expired: renew/.test(line)))
  // The certificate that it presents is no longer accepted, until its file has a new one.
  folder.pair('server', ours.issue(['localhost']))
  folder.pair('client', theirs.issue(['app']))
  await redis.restart()
  await until('it is told', () => good.told().some(line => /wants a valid client/.test(line)))
  folder.pair('client', ours.issue(['app']))
  await until('it answers again', good.answers)
})

test('parameters of the URL that cannot be used fail the start', async () => {
  const cases: readonly (readonly [url: string, expected: RegExp])[] = [
    [`redis://localhost?cacert=${cacert}`, /cacert in the URL of Redis needs TLS: begin it with rediss:/],
    ['rediss://localhost?tlsca=x', /has the parameter "tlsca": use cacert, cert, key with the path of a file/],
    [`rediss://localhost?cert=${cacert}`, /only one of cert and key/],
  ]
  for (const [url, message] of cases)
    await assert.rejects(
      openLink(url).link.connect(),
      error => error instanceof UnusableError && message.test(error.message),
    )
})
