// CI alone: services/auth/tests/key-rotation.test.ts shows it for the service by hand.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Tokens } from '@blog-platform/auth-contract'
import { createKeyFile } from 'tsmicro/auth'
import { bearer } from '../support/contents.ts'
import { assertNoSecretsLogged } from '../support/leaks.ts'
import { draft, type Person, person } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { type Answer, send } from '../support/send.ts'
import { runTsmicro } from '../support/tsmicro.ts'
import { until } from '../support/until.ts'
import { Writers } from '../support/writers.ts'

/** The minimum amount of each kind of work in each state of the keys. */
const ENOUGH = 5

const resources = new AsyncDisposableStack()
const secrets = new Set<string>()
let platform: Platform
let keysDir: string
before(async () => {
  keysDir = await mkdtemp(join(tmpdir(), 'tsmicro-rotation-'))
  resources.defer(() => rm(keysDir, { recursive: true, force: true }))
  const env = { KEYS_DIR: keysDir, KEYS_CHECK_MS: '100', KEY_ACTIVATION_SECONDS: '4', JWT_KEYS_SECONDS: '1' }
  platform = resources.use(await startPlatform({ authReplicas: 2, env }))
})
after(() => resources.disposeAsync())

const PASSWORD = { password: 'correct horse' }
const kidOf = (token: string): string => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
const headers = (token?: string) => ({
  'x-api-key': platform.apiKey,
  ...(token ? bearer({ accessToken: token }) : {}),
})

/** Both instances of the auth service, and the first one as clients see it. */
const doors = () => [`${platform.url}/auth`, ...platform.auths.map(({ url }) => url)]
const at = (number: number): string => doors()[number % 3] ?? ''

async function ask(base: string, route: string, token?: string, json?: unknown): Promise<Answer> {
  const [method, path] = route.split(' ')
  const { origin, pathname } = new URL(base)
  const prefix = pathname === '/' ? '' : pathname
  return send(origin, `${method} ${prefix}${path}`, {
    headers: headers(token),
    ...(json === undefined ? {} : { json }),
  })
}

const published = async (base: string) => {
  const { body } = await ask(base, 'GET /.well-known/jwks.json')
  return ((body?.keys ?? []) as readonly { readonly kid: string }[]).map(({ kid }) => kid)
}
const untilPublished = (...kids: string[]) =>
  until(`only ${kids} to be published`, async () =>
    (await Promise.all(doors().map(published))).every(found => found.join() === kids.join()),
  )

/** Does everything that involves tokens concurrently, until it is stopped. */
class Load {
  /** The kids of issued tokens, by the door that issued them. */
  readonly seen: { readonly door: number; readonly kid: string }[] = []
  readonly kinds: Readonly<Record<string, Writers>>

  constructor(author: Person, email: string, renewing: Tokens) {
    let pair = renewing
    this.kinds = {
      signIns: new Writers(1, async number => {
        const answer = await ask(at(number), 'POST /signin/basic', undefined, { email, ...PASSWORD })
        this.#note(number, answer.data.tokens as Tokens | undefined)
        return answer
      }),
      renewals: new Writers(1, async number => {
        const { accessToken, refreshToken } = pair
        const answer = await ask(at(number), 'POST /token/refresh', accessToken, { refreshToken })
        if (answer.status === 200) pair = answer.data as unknown as Tokens
        this.#note(number, pair)
        const used = await ask(`${platform.url}/blog`, 'GET /author/drafts?page=1&limit=1', pair.accessToken)
        // A learner is known, and refused only for their role. An unknown caller would get 401.
        return used.status === 403 ? answer : used
      }),
      reads: new Writers(2, number => ask(at(number), 'GET /profile/mine', author.accessToken)),
      writes: new Writers(2, number =>
        ask(`${platform.url}/blog`, 'POST /author', author.accessToken, draft(`rotation-${number}`)),
      ),
    }
  }

  /** Waits until more of every kind has been done. */
  async goOn(): Promise<void> {
    const all = Object.entries(this.kinds).map(([name, work]) => ({ name, work, from: work.answers.length }))
    for (const { name, work, from } of all) await until(`more ${name}`, () => work.answers.length >= from + ENOUGH)
  }

  async stop(): Promise<void> {
    for (const work of Object.values(this.kinds)) await work.stop()
  }

  #note(door: number, tokens: Tokens | undefined): void {
    if (!tokens) return
    for (const token of [tokens.accessToken, tokens.refreshToken]) secrets.add(token)
    this.seen.push({ door: door % 3, kid: kidOf(tokens.accessToken) })
  }
}

test('rotation under load: zero failed requests', async () => {
  const [author, renewing, email] = [
    await person(platform, 'Ada', 'AUTHOR'),
    await person(platform, 'Ren'),
    'in@example.com',
  ]
  await ask(at(0), 'POST /signup/basic', undefined, { email, name: 'In', ...PASSWORD })
  const old = kidOf(author.accessToken)
  await untilPublished(old)
  const load = new Load(author, email, renewing)
  try {
    await load.goOn()
    const { kid } = await createKeyFile(keysDir)
    await untilPublished(kid, old)
    const signs = (door: number) => load.seen.some(each => each.door === door && each.kid === kid)
    await until('every instance to sign with the new key', () => [0, 1, 2].every(signs))
    await load.goOn()
    await rm(join(keysDir, '0001.pem'))
    await load.goOn()
    assert.deepEqual(await published(at(1)), [kid, old])
  } finally {
    await load.stop()
  }
  for (const [name, { answers, refused }] of Object.entries(load.kinds)) {
    const told = refused.map(({ status, text }) => `${status} ${text}`)
    assert.deepEqual(told, [], `${name}: ${refused.length} of ${answers.length} failed`)
  }
  assert.deepEqual(new Set(load.seen.map(({ kid }) => kid)).size, 2)
  assert.equal((await author.profile.myProfile({})).name, 'Ada', 'signed with the old key, and valid')
})

test('tokens signed by a withdrawn key are refused at every door, and a new key signs without waiting', async () => {
  const cast = await person(platform, 'Cas', 'AUTHOR')
  const withdrawn = kidOf(cast.accessToken)
  const { kid } = await createKeyFile(keysDir)
  await until('the next to be published', async () => (await published(at(2))).includes(kid))
  const env = { DATABASE_URL: platform.postgres.url, KEYS_DIR: keysDir }
  const { code, stdout } = await runTsmicro(['keys', 'withdraw', withdrawn], env)
  assert.equal(code, 0)
  assert.match(stdout, /is withdrawn/)
  const used = () => [
    ...doors().map(door => ask(door, 'GET /profile/mine', cast.accessToken)),
    ask(`${platform.url}/blog`, 'POST /author', cast.accessToken, draft('withdrawn')),
  ]
  await until('it to be refused everywhere', async () =>
    (await Promise.all(used())).every(({ status }) => status === 401),
  )
  for (const door of doors()) {
    assert.ok(!(await published(door)).includes(withdrawn))
    const { refreshToken, accessToken } = cast
    assert.equal((await ask(door, 'POST /token/refresh', accessToken, { refreshToken })).status, 401)
  }
  const again = await person(platform, 'Dee', 'AUTHOR')
  assert.equal(kidOf(again.accessToken), kid)
  assert.equal((await ask(`${platform.url}/blog`, 'POST /author', again.accessToken, draft('replaced'))).status, 201)
  const list = await runTsmicro(['keys', 'list'], env)
  const [signs = '', ...others] = list.stdout.split('\n')
  assert.match(signs, new RegExp(`^${kid} {2}signs {2}.*0003\\.pem$`))
  assert.match(others.join('\n'), new RegExp(`^${withdrawn} {2}withdrawn .*remove its file {2}.*0002\\.pem$`, 'm'))
  assert.match(others.join('\n'), /no file here; retiring until \d{4}-/)
})

test('no key and no token is in any log', async () => {
  assertNoSecretsLogged(platform, secrets)
  const all = platform.auths.map(({ output }) => output).join('')
  assert.doesNotMatch(all, /PRIVATE KEY/)
  for (const name of await readdir(keysDir)) {
    const [, first = ''] = (await readFile(join(keysDir, name), 'utf8')).split('\n')
    assert.ok(first.length > 40 && !all.includes(first))
  }
})
