import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { TOKEN_INVALID, validation } from '@blog-platform/auth-contract'
import { connect, type NatsConnection, type Subscription } from '@nats-io/transport-node'
import { describeServices } from '@tsmicro/cli/generate'
import { startNats } from '@tsmicro/infra'
import { createService, createStreams, implement, NatsClient, on, type Service } from 'tsmicro'
import {
  type Contract,
  type EventDefinition,
  frameworkErrors,
  type natsPermissionsOf,
  type Procedure,
} from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import { natsFiles } from '../../tools/nats-config.ts'
import system from '../../tsmicro.config.ts'
import { until } from '../support/until.ts'
import { blocksOf } from './markdown.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = 'docs/messaging.md'
const log = createLogger({ name: 'tests', level: 'silent' })

type NatsAccess = Parameters<typeof natsPermissionsOf>[0]

interface Mailer extends Contract {
  readonly welcome: Procedure
  readonly letterSent: EventDefinition
}

interface Programs {
  readonly FOREIGN: readonly NatsAccess[]
  readonly mailer: Mailer
  userOf(nats: NatsConnection, token: string): Promise<{ readonly name: string } | undefined>
  answerWelcome(nats: NatsConnection, send: (name: string) => Promise<boolean>): Subscription
  publishLetterSent(nats: NatsConnection, letter: object, number: number, id?: string): Promise<void>
}

const resources = new AsyncDisposableStack()
let page: Programs
let url: string
let foreign: NatsConnection
before(async () => {
  await mkdir(join(ROOT, '.tmp'), { recursive: true })
  const directory = await mkdtemp(join(ROOT, '.tmp', 'foreign-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  page = await loadPage(directory)

  const { config, streams } = natsFiles(await describeServices(system, ROOT), [], [...page.FOREIGN, SHOP])
  const users = [...config.matchAll(/\$(\w+)_NATS_PASSWORD/g)].map(([, user = '']) => user)
  const file = join(directory, 'nats.conf')
  await writeFile(file, `${users.map(user => `${user}_NATS_PASSWORD: "${user}-secret"`).join('\n')}\n${config}`)
  const server = resources.use(await startNats({ ephemeral: true, extraArgs: ['-c', file] }))
  url = server.url
  const operator = new NatsClient({ url: urlFor('streams'), name: 'streams', log })
  await operator.connect()
  await createStreams(operator, JSON.parse(streams) as Service['streams'], log)
  await operator.close()
  const login = { user: 'mailer', pass: 'MAILER-secret', inboxPrefix: '_INBOX_mailer' }
  foreign = await connect({ servers: new URL(url).host, ...login })
  resources.defer(() => foreign.close())
})
after(() => resources.disposeAsync())

const SHOP: NatsAccess = {
  service: 'shop',
  serves: [],
  get calls() {
    return [page.mailer]
  },
  get handles() {
    return { letters: [{ letterSent: page.mailer.letterSent }] }
  },
}

const urlFor = (user: string) => url.replace('://', `://${user}:${user.toUpperCase()}-secret@`)

/** Writes the blocks of the page's section, and loads them. */
async function loadPage(directory: string): Promise<Programs> {
  const text = readFileSync(join(ROOT, PAGE), 'utf8')
  const section = /^## Programs in other languages$[\s\S]*?(?=^## )/m.exec(text)?.[0] ?? ''
  const modules: object[] = []
  for (const { code, language, place } of blocksOf(PAGE, section)) {
    const [, file = ''] = /^\/\/ (\S+\.[jt]s)\n/.exec(code) ?? []
    assert.ok(file !== '' && ['js', 'ts'].includes(language), `${place} cannot be run`)
    const path = join(directory, file.replace(/\.js$/, '.mjs'))
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, code)
    modules.push((await import(pathToFileURL(path).href)) as object)
  }
  assert.equal(modules.length, 4)
  // The real file is at the place that the page names.
  assert.ok(existsSync(join(ROOT, 'deploy/nats/foreign.ts')))
  return Object.assign({}, ...modules) as Programs
}

test('a foreign program calls a procedure of ours, and learns of its errors', async () => {
  const refused = async () => assert.fail('not called')
  const user = { id: '00000000-0000-4000-8000-000000000000', name: 'Ada', sessionId: 's' }
  const handlers = implement(validation, {
    validateToken: async ({ input }) => {
      if (input.token !== 'good') throw new TOKEN_INVALID()
      return user
    },
    ...{ verifyAccess: refused, accessChanges: refused, validateRole: refused, publicKeys: refused },
  })
  const nats = new NatsClient({ url: urlFor('auth'), name: 'auth', log })
  const service = createService({ name: 'auth', version: '1.0.0', module: { nats, handlers: [handlers] }, log })
  await service.start()
  resources.defer(() => service.stop())
  assert.equal((await page.userOf(foreign, 'good'))?.name, 'Ada')
  assert.equal(await page.userOf(foreign, 'bad'), undefined)
  await assert.rejects(page.userOf(foreign, ''), /^Error: 400:/)
})

test('a foreign program answers a procedure, and announces events, each of which is handled once', async () => {
  const { mailer } = page
  const welcomed: string[] = []
  const answering = page.answerWelcome(foreign, async name => {
    if (name === 'broken') throw new Error('secret')
    welcomed.push(name)
    return true
  })
  resources.defer(async () => answering.unsubscribe())
  const letters: unknown[] = []
  const nats = new NatsClient({ url: urlFor('shop'), name: 'shop', log })
  const heard = on(mailer.letterSent, { name: 'letters', effect: 'idempotent' }, ({ data, ...event }) => {
    letters.push([data, event.source, event.aggregateId, event.aggregateSequence])
  })
  const shop = createService({
    ...{ name: 'shop', version: '1.0.0', log },
    module: { nats, handlers: [heard], calls: [mailer] },
  })
  await shop.start()
  resources.defer(() => shop.stop())

  const client = nats.client(mailer) as Record<string, (input: object) => Promise<unknown>>
  assert.deepEqual(await client.welcome?.({ name: 'Ada' }), { sent: true })
  assert.deepEqual(welcomed, ['Ada'])
  await assert.rejects(client.welcome?.({ name: 'broken' }) ?? assert.fail(), frameworkErrors.INTERNAL)
  const invalid = nats.request('mailer.welcome', { name: 5 })
  await assert.rejects(invalid, (error: { status?: number }) => error.status === 400)

  const [one, two] = [1, 2].map(n => ({ letterId: 'l "é" 1', to: `reader ${n}` }))
  // The first is sent twice, as after an answer that was lost.
  for (let times = 0; times < 2; times++) await page.publishLetterSent(foreign, one ?? {}, 1, 'id 1')
  await page.publishLetterSent(foreign, two ?? {}, 2, 'id-2')
  await until('both are handled', () => letters.length === 2)
  assert.deepEqual(letters, [
    [one, 'mailer', one?.letterId, 1],
    [two, 'mailer', two?.letterId, 2],
  ])
  // Nothing is stored under a subject that is not its own.
  const stranger = foreign.request('user.created', '{}', { timeout: 5000 })
  await assert.rejects(stranger, /[Pp]ermission/)
})
