import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { nkeys } from '@nats-io/nats-core'
import { startNats } from '@tsmicro/infra'
import { NatsClient } from 'tsmicro'
import { unusableIn } from '../../src/errors/index.ts'
import { certificateFolder } from '../support/certificates.ts'
import { RecordedLog } from '../support/log.ts'
import { until } from '../support/until.ts'

const folder = certificateFolder()
after(() => folder[Symbol.dispose]())
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** A JWT as NATS has it, with which one key says what another one may do. */
function signed(issuer: nkeys.KeyPair, subject: string, name: string, nats: object, expiresAt?: number): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    jti: randomBytes(16).toString('hex'),
    iat: now - 60,
    ...(expiresAt === undefined ? {} : { exp: expiresAt }),
    iss: issuer.getPublicKey(),
    name,
    sub: subject,
    nats: { version: 2, ...nats },
  }
  const body = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode(claims)}`
  return `${body}.${Buffer.from(issuer.sign(Buffer.from(body))).toString('base64url')}`
}

const operator = nkeys.createOperator()
const account = nkeys.createAccount()
const UNLIMITED = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }

/** The text of a `.creds` file. */
function creds(expiresAt?: number): string {
  const user = nkeys.createUser()
  const limits = { subs: -1, data: -1, payload: -1 }
  const jwt = signed(account, user.getPublicKey(), 'blog', { type: 'user', pub: {}, sub: {}, ...limits }, expiresAt)
  const block = (label: string, content: string) => `-----BEGIN ${label}-----\n${content}\n------END ${label}------\n`
  return block('NATS USER JWT', jwt) + block('USER NKEY SEED', text(user.getSeed()))
}

function operatorConfig(): string {
  const trusted = signed(operator, operator.getPublicKey(), 'o', { type: 'operator' })
  const system = nkeys.createAccount().getPublicKey()
  const accounts = [account.getPublicKey(), system].map(
    key => `${key}: ${signed(operator, key, 'a', { type: 'account', limits: UNLIMITED })}`,
  )
  return `operator: ${trusted}\nsystem_account: ${system}\nresolver: MEMORY\nresolver_preload: { ${accounts.join('\n')} }\n`
}

/** `connected`, or why it never will be. Tries again after a time-out, as on a busy machine. */
async function outcome(url: string, log = new RecordedLog()): Promise<string> {
  let result: string | undefined
  await until('it connects or is refused for good', async () => {
    const nats = new NatsClient({ url, name: 'tests', log })
    try {
      await nats.connect()
      result = 'connected'
    } catch (error) {
      result = unusableIn(error)?.message
    } finally {
      await nats.close()
    }
    return result !== undefined
  })
  return result ?? ''
}

const serve = (config: string) =>
  startNats({ ephemeral: true, extraArgs: ['-c', folder.write(`${randomBytes(4).toString('hex')}.conf`, config)] })

test('a creds file: a new one is used from the next connection on; none of it is logged', async () => {
  await using server = await serve(operatorConfig())
  const file = folder.write('blog.creds', creds())
  const url = `${server.url}?creds=${file}`
  assert.equal(await outcome(url), 'connected')
  const log = new RecordedLog()
  const nats = new NatsClient({ url, name: 'tests', log, reconnectWaitMs: 20 })
  await nats.connect()
  try {
    // While it is being replaced, the last one goes on.
    for (const content of [creds(), 'half of a', creds()]) {
      folder.write('blog.creds', content)
      await server.restart()
      await until('it is connected again', () =>
        nats.check().then(
          () => true,
          () => false,
        ),
      )
    }
    assert.ok(
      log.at('error').some(({ message }) => /is not a file with a JWT and a seed: .*last credentials/.test(message)),
    )
    // One that the server refuses is told once, with what to do, however often it is tried.
    const before = log.at('error').length
    folder.write('blog.creds', creds(Math.floor(Date.now() / 1000) - 10))
    await server.restart()
    await until('it is told', () => log.at('error').length > before)
    const told = log.at('error').slice(before)
    assert.match(told[0]?.message ?? '', /^NATS cannot be reached: NATS refuses the user of .*; check that the file is/)
    assert.equal(told.length, 1)
    assert.doesNotMatch(JSON.stringify(log.lines), /SU[A-Z2-7]{30}|eyJ/)
  } finally {
    await nats.close()
  }
})

test('a creds file that cannot be used fails at once, in one line that says what to do', async () => {
  await using server = await serve(operatorConfig())
  const stranger = creds().replace(
    /eyJ[^\n]+/,
    signed(nkeys.createAccount(), nkeys.createUser().getPublicKey(), 'x', { type: 'user' }),
  )
  const cases: readonly (readonly [name: string, content: string | undefined, expected: RegExp])[] = [
    ['missing', undefined, /^creds of NATS cannot be read: ENOENT/],
    ['empty', '', /^creds=.*empty is not a file with a JWT and a seed: make a new one/],
    ['garbage', 'SUABCDEFGHIJ', /^creds=.*garbage is not a file with a JWT and a seed/],
    [
      'expired',
      creds(Math.floor(Date.now() / 1000) - 10),
      /^NATS refuses the user of .*expired: .*; check that the file is current/,
    ],
    ['stranger', stranger, /^NATS refuses the user of .*stranger: .*; check that the file is current/],
  ]
  for (const [name, content, expected] of cases) {
    const path = content === undefined ? '/nowhere/missing' : folder.write(name, content)
    const log = new RecordedLog()
    const message = await outcome(`${server.url}?creds=${path}`, log)
    assert.match(message, expected, name)
    assert.doesNotMatch(message + JSON.stringify(log.lines), /\n|SUA|eyJ/, name)
  }
})

test('an nkey, a token, a user with a password: each is accepted, and refused when it is wrong', async () => {
  const user = nkeys.createUser()
  await using server = await serve(
    `authorization: { users: [ { nkey: ${user.getPublicKey()} }, { user: blog, password: "p@ss" } ] }`,
  )
  const seed = folder.write('blog.nk', `# the seed of blog\n${text(user.getSeed())}\n`)
  const other = folder.write('other.nk', text(nkeys.createUser().getSeed()))
  assert.equal(await outcome(`${server.url}?nkey=${seed}`), 'connected')
  assert.match(
    await outcome(`${server.url}?nkey=${other}`),
    /^NATS refuses the nkey of .*other\.nk: .*the nkeys of the server/,
  )
  assert.match(
    await outcome(`${server.url}?nkey=${folder.write('none', user.getPublicKey())}`),
    /has no seed of a user \(SU…\)/,
  )
  const as = (login: string) => server.url.replace('://', `://${login}@`)
  assert.equal(await outcome(as('blog:p%40ss')), 'connected')
  assert.match(await outcome(as('blog:wrong')), /^NATS refuses user "blog": .*; check the name and password in the URL/)
  assert.match(await outcome(server.url), /^NATS refuses a client without credentials: .*; name a user/)
  assert.match(await outcome(`${as('blog:x')}?nkey=${seed}`), /names more than one of user, creds and nkey/)

  await using tokens = await serve('authorization: { token: "s3cret" }')
  const bearer = (token: string) => tokens.url.replace('://', `://${token}@`)
  assert.equal(await outcome(bearer('s3cret')), 'connected')
  const refused = await outcome(bearer('wr0ng'))
  assert.match(refused, /^NATS refuses the bearer of this token/)
  assert.doesNotMatch(refused, /wr0ng/)
})
