import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SignedIn } from '@blog-platform/auth-contract'
import { loadKeyRing } from 'tsmicro/auth'
import { runBootstrap as run } from '../src/startup/programs/bootstrap.ts'
import { close, isAccepted, signUp } from './support/accounts.ts'
import { addAuth } from './support/auth.ts'
import { send } from './support/http.ts'
import { runBootstrap } from './support/process.ts'
import { startServers } from './support/servers.ts'

const servers = await startServers()
const { DATABASE_URL = '' } = servers.env
await loadKeyRing({ directory: servers.keysDir, createIfMissing: true })

const printed = (output: string, name: string) => new RegExp(`^${name} +(.+)$`, 'm').exec(output)?.[1] ?? ''

const bootstrap = (env: Record<string, string>, ...args: string[]) => run(args, env)

/** Runs it as a process: checks the exit code, and that it prints one line without secrets or a stack. */
async function assertEnds(code: number, line: RegExp, env: Record<string, string>, ...args: string[]): Promise<void> {
  const ended = await runBootstrap(env, ...args)
  assert.deepEqual([ended.code, ended.signal], [code, null], ended.output)
  assert.match(ended.output, line)
  assert.doesNotMatch(ended.output, /\n|s3cret/)
}

test('--help explains everything, and needs nothing', async () => {
  const help = await bootstrap({}, '--help')
  for (const word of ['--email', '--name', '--recover', '--api-key', '--comment', 'DATABASE_URL', 'BOOTSTRAP_PASSWORD'])
    assert.ok(help.includes(word), word)
})

test('invalid arguments are refused with one line, before anything is done', async () => {
  const env = { DATABASE_URL }
  const email = ['--email', 'a@b.org']
  await assert.rejects(bootstrap(env), { message: '--email E-MAIL is required' })
  await assert.rejects(bootstrap(env, '--email', 'nobody'), { message: '--email nobody is not an e-mail address' })
  await assert.rejects(bootstrap(env, ...email, '--name', ' '), { message: /^--name must be one line of/ })
  await assert.rejects(bootstrap(env, '--api-key', ...email), {
    message: /^--api-key creates a key without an account/,
  })
  await assert.rejects(bootstrap(env, '--api-key', '--comment', ''), { message: /^--comment must be/ })
  await assert.rejects(bootstrap(env, '--recover'), { message: '--email E-MAIL is required' })
  await assert.rejects(bootstrap(env, '--recover', ...email, '--name', 'Ops'), {
    message: /^--recover does not change the name/,
  })
  await assert.rejects(bootstrap(env, ...email, 'more'), { message: /^Unexpected argument 'more'/ })
  await assert.rejects(bootstrap({}, ...email), { message: /DATABASE_URL is not set/ })
  const short = { ...env, BOOTSTRAP_PASSWORD: 's3cret' }
  await assert.rejects(bootstrap(short, ...email), { message: /BOOTSTRAP_PASSWORD has a value \(not shown\)/ })
  const nobody = { DATABASE_URL: 'postgres://app:s3cret@127.0.0.1:1/app' }
  await Promise.all([
    assertEnds(2, /^bootstrap: Unknown option '--force'.* \(see --help\)$/, env, ...email, '--force'),
    assertEnds(1, /^bootstrap: .*ECONNREFUSED.*$/, nobody, ...email),
  ])
  assert.deepEqual(await servers.sql(`select to_regclass('users') as users`), [{ users: null }])
})

test('on an empty database it creates an administrator and a key that work in production; only once, even if two run concurrently', async () => {
  const both = await Promise.all([
    runBootstrap({ DATABASE_URL }, '--email', 'Ops@Example.org', '--name', 'Op One'),
    runBootstrap({ DATABASE_URL }, '--email', 'other@example.org'),
  ])
  assert.deepEqual(both.map(({ code }) => code).sort(), [0, 1], JSON.stringify(both))
  const { output = '' } = both.find(({ code }) => code === 0) ?? {}
  const refused = both.find(({ code }) => code === 1)
  assert.match(refused?.output ?? '', /^bootstrap: there already is an administrator: .*$/)
  const [email, password, key] = ['e-mail', 'password', 'API key'].map(name => printed(output, name))
  assert.match(password ?? '', /^[\w-]{24}$/)
  assert.match(key ?? '', /^tsmk_[\w-]{43}$/)

  const auth = await addAuth(servers, { env: { NODE_ENV: 'production', REQUIRE_GATEWAY: 'false' } })
  const { text } = await send(auth.url, 'POST /verify/apikey', { body: { key } })
  assert.match(text, /^\{"valid":true,"id":"[0-9a-f-]{36}","permissions":\["READ","WRITE"\]\}$/)
  const answer = await send<SignedIn>(auth.url, 'POST /signin/basic', { body: { email, password } })
  assert.equal(answer.status, 200, answer.text)
  const { user, tokens } = answer.body.data
  assert.equal(user.email, email)
  assert.deepEqual(
    user.roles.map(({ code }) => code),
    ['ADMIN'],
  )
  const listed = await send(auth.url, 'GET /admin/apikeys', { token: tokens.accessToken })
  assert.equal((listed.body.data as unknown[]).length, 1)
})

test('if the account of the only administrator is closed there may be a new one, with a password from a file', async () => {
  await servers.sql('update users set status = false')
  const file = join(servers.keysDir, 'password.txt')
  await writeFile(file, 'correct horse battery\n')
  const env = { DATABASE_URL, BOOTSTRAP_PASSWORD_FILE: file }
  const [taken] = await servers.sql<{ email: string }>('select email from users')
  await assert.rejects(bootstrap(env, '--email', taken?.email ?? ''), {
    message: /^an account with the e-mail address/,
  })
  const output = await bootstrap(env, '--email', 'second@example.org')
  assert.doesNotMatch(output, /correct horse/)
  const auth = await addAuth(servers)
  const body = { email: 'second@example.org', password: 'correct horse battery' }
  assert.equal((await send(auth.url, 'POST /signin/basic', { body })).status, 200)
  const keys = await servers.sql('select 1 from api_keys')
  assert.equal(keys.length, 2, 'refused commands created no key')
})

test('--api-key is the way back when no key is left, and changes nothing else', async () => {
  await servers.sql('update api_keys set revoked_at = now()')
  const before = await servers.sql('select * from users order by id')
  const output = await bootstrap({ DATABASE_URL }, '--api-key', '--comment', 'after the accident')
  const auth = await addAuth(servers)
  const { text } = await send(auth.url, 'POST /verify/apikey', { body: { key: printed(output, 'API key') } })
  assert.match(text, /"valid":true.*"permissions":\["READ","WRITE"\]/)
  assert.deepEqual(await servers.sql('select * from users order by id'), before)
  assert.deepEqual(await servers.sql('select comment from api_keys where revoked_at is null'), [
    { comment: 'after the accident' },
  ])
})

test('--recover gives an account a new password, reopens it, makes it an administrator and ends its sessions', async () => {
  const auth = await addAuth(servers)
  const account = await signUp(auth)
  await close(auth, account)
  await assert.rejects(bootstrap({ DATABASE_URL }, '--recover', '--email', 'nobody@example.org'), {
    message: 'there is no account with the e-mail address nobody@example.org',
  })
  const output = await bootstrap({ DATABASE_URL }, '--recover', '--email', account.email.toUpperCase())
  assert.equal(await isAccepted(auth, account.accessToken), false)
  const body = { email: account.email, password: printed(output, 'password') }
  const answer = await send<SignedIn>(auth.url, 'POST /signin/basic', { body })
  assert.equal(answer.status, 200, answer.text)
  const token = answer.body.data.tokens.accessToken
  assert.equal((await send(auth.url, 'GET /admin/apikeys', { token })).status, 200)
  const old = { email: account.email, password: account.password }
  assert.equal((await send(auth.url, 'POST /signin/basic', { body: old })).status, 401)
})
