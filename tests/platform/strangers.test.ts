// CI alone: packages/gateway/tests/strangers.test.ts and the servers’ own tests refuse strangers by hand.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DEMO_API_KEY } from '@blog-platform/auth-service/demo'
import { descendants, isAlive } from '@tsmicro/infra'
import { RunningSystem } from '../documentation/running-system.ts'
import { inFull } from '../support/size.ts'
import { asNobody, type Ends, type Task, whyNotNobody } from '../support/strangers/as-nobody.ts'
import { type Listener, listenersOf } from '../support/strangers/listeners.ts'
import * as protocols from '../support/strangers/protocols.ts'
import { until } from '../support/until.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const LOOPBACK = ['0100007F', '00000000000000000000000001000000']

/** Identifies a process of the tree by its command line. */
const PROGRAMS = [
  ['supervisor', /packages\/cli\/src\/main\.ts/],
  ['nats', /nats-server/],
  ['postgres', /bin\/postgres/],
  ['redis', /redis-server/],
  ['documents', /packages\/document-server\//],
  ['auth', /services\/auth\/src\/main\.ts/],
  ['blog', /services\/blog\/src\/main\.ts/],
  ['gateway', /packages\/gateway\/src\/main\.ts/],
  ['explorer', /packages\/explorer\/src\/main\.ts/],
] as const
type Name = (typeof PROGRAMS)[number][0] | 'admin' | 'ports' | 'unknown'

async function commandOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')
}

/** The program that listens. Unknown listeners fail the test until somebody has considered them and added attempts below. */
async function nameOf({ pid, kind, port, path, address }: Listener, gatewayPort: number): Promise<Name> {
  const command = await commandOf(pid)
  const name = PROGRAMS.find(([, pattern]) => pattern.test(command))?.[0] ?? 'unknown'
  if (kind === 'unix') return name === 'supervisor' && path.startsWith('\0tsmicro-port-') ? 'ports' : 'unknown'
  if (kind === 'udp' || kind === 'udp6' || !LOOPBACK.includes(address)) return 'unknown'
  return name === 'gateway' && port !== gatewayPort ? 'admin' : name
}

function attemptsAt(name: Name, { port }: Listener): readonly protocols.Attempt[] {
  switch (name) {
    case 'supervisor':
      return protocols.commands(port, protocols.CONTROL_ROUTES, [403])
    case 'admin':
      return protocols.commands(port, protocols.ADMIN_ROUTES, [401, 403])
    case 'gateway':
      return protocols.gateway(port, DEMO_API_KEY)
    case 'explorer':
      return protocols.explorer(port)
    case 'auth':
    case 'blog':
      return protocols.service(name, port)
    case 'nats':
      return protocols.nats()
    case 'postgres':
      return protocols.postgres()
    case 'redis':
      return protocols.redis()
    case 'documents':
      return protocols.documents()
    case 'ports':
      return [{ what: 'anything', bytes: 'GET / HTTP/1.1\r\n\r\n', isRefused: heard => /^(?: \(\w+\))?$/.test(heard) }]
    case 'unknown':
      return []
  }
}

function endOf(name: Name): Ends {
  if (name === 'documents') return 'message'
  return name === 'nats' || name === 'postgres' || name === 'redis' ? 'us' : 'them'
}

/** Every file below a folder, with its contents. */
async function filesBelow(folder: string): Promise<[path: string, text: string][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return Promise.all(
    files.map(async path => [path, await readFile(path, 'latin1').catch(() => '')] as [string, string]),
  )
}

/** Secrets: files that consist of one word, and the passwords within others. */
function secretsIn(files: readonly (readonly [path: string, text: string])[]): Map<string, string> {
  const secrets = new Map<string, string>()
  for (const [path, text] of files) {
    if (/\/secrets\/|\/password$|token/.test(path)) secrets.set(path, text.trim())
    if (/passwords\.json$|control\.json$/.test(path))
      for (const [key, value] of Object.entries(JSON.parse(text) as Record<string, string>))
        if (key !== 'url') secrets.set(`${path} ${key}`, value)
    if (text.startsWith('-----BEGIN')) secrets.set(path, text.split('\n')[2] ?? '')
  }
  return secrets
}

// With two instances of each there are all listeners of a single one, and the Admin API.
for (const replicas of inFull ? [1, 2] : [2])
  test(`another user of the machine can neither read nor change anything of npm start, on any listener (${replicas} of each)`, {
    skip: whyNotNobody(),
  }, async t => {
    await using resources = new AsyncDisposableStack()
    const dataDir = await mkdtemp(join(tmpdir(), 'tsmicro-strangers-'))
    resources.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
    // As a careless user may have created it.
    await chmod(dataDir, 0o777)
    const secret = 'of-the-developer-alone'
    const own = { DATA_DIR: dataDir, GATEWAY_PORT: '0', NO_COLOR: '1', REDIS_URL: '', NPM_TOKEN: secret }
    const command = `node packages/cli/bin/tsmicro.js start --replicas ${replicas}`
    const system = resources.use(await RunningSystem.start(command, ROOT, { ...process.env, ...own }))
    // The table comes without waiting for it.
    await until('the explorer to be ready', async () => /✓ explorer/.test(system.output))
    const gatewayPort = Number(new URL(system.addressOf('gateway')).port)
    const pids = [system.pid, ...descendants(system.pid)]

    const listeners = await Promise.all(
      listenersOf(pids).map(async each => ({ ...each, name: await nameOf(each, gatewayPort) })),
    )
    const unknown = listeners.filter(({ name }) => name === 'unknown')
    for (const each of unknown) t.diagnostic(`${JSON.stringify(each)} of ${await commandOf(each.pid)}`)
    assert.deepEqual(unknown, [], 'unknown listener: add to this test what a stranger must not do with it')
    const count = (wanted: Name) => listeners.filter(({ name }) => name === wanted).length
    for (const name of ['supervisor', 'nats', 'postgres', 'documents', 'gateway', 'explorer'] as const)
      assert.equal(count(name), 1)
    assert.deepEqual([count('auth'), count('blog'), count('admin')], [replicas, replicas, replicas === 1 ? 0 : 1])

    const attempts = listeners.flatMap(listener =>
      attemptsAt(listener.name, listener).map(attempt => ({ ...attempt, listener })),
    )
    const heard = await asNobody(
      attempts.map(
        ({ bytes, listener: { kind, port, path, name } }): Task =>
          kind === 'unix' ? { kind: 'talk-local', path, bytes } : { kind: 'talk', port, bytes, ends: endOf(name) },
      ),
    )
    const wrong = attempts.flatMap(({ what, isRefused, listener }, index) =>
      isRefused(heard[index] ?? '')
        ? []
        : [`${listener.name}: ${what}: ${JSON.stringify(heard[index]?.slice(0, 120))}`],
    )
    assert.deepEqual(wrong, [])
    t.diagnostic(`${listeners.length} listeners, ${attempts.length} attempts`)

    const files = await filesBelow(dataDir)
    const secrets = secretsIn(files)
    assert.ok(secrets.size >= 8, [...secrets.keys()].join('\n'))
    for (const path of secrets.keys()) assert.equal((await stat(path.split(' ')[0] ?? '')).mode & 0o077, 0, path)
    for (const pid of pids) {
      const line = await commandOf(pid)
      for (const [path, value] of secrets) assert.ok(!line.includes(value), `${path} is on a command line: ${line}`)
    }
    const below = pids.filter(pid => pid !== system.pid)
    const closed: Task[] = [
      { kind: 'list', path: dataDir },
      { kind: 'write', path: join(dataDir, 'stranger') },
      { kind: 'mkdir', path: join(dataDir, 'secrets', 'stranger') },
      ...files.flatMap(([path]): Task[] => [
        { kind: 'read', path },
        { kind: 'write', path },
      ]),
      ...below.flatMap((pid): Task[] => [
        { kind: 'read', path: `/proc/${pid}/environ`, pid },
        { kind: 'list', path: `/proc/${pid}/cwd`, pid },
        { kind: 'list', path: `/proc/${pid}/fd`, pid },
        { kind: 'read', path: `/proc/${pid}/mem`, pid },
        { kind: 'signal', pid },
      ]),
    ]
    const answers = await asNobody(closed)
    const isOpen = (answer = '') => !/^(?:EACCES|EPERM)$/.test(answer)
    let open = closed.filter((_, index) => isOpen(answers[index]))
    // A process that is exiting, like PostgreSQL's workers often are, no longer has an owner: when checked again, it has exited.
    for (let attempt = 0; attempt < 20 && open.length > 0; attempt++) {
      await sleep(100)
      const alive = open.filter(task => !('pid' in task) || task.pid === undefined || isAlive(task.pid))
      const again = await asNobody(alive)
      open = alive.filter((_, index) => isOpen(again[index]))
    }
    assert.deepEqual(open, [])
    // The developer's own variables stay with the supervisor.
    const parts = listeners.filter(({ name }) => name !== 'supervisor' && name !== 'ports').map(({ pid }) => pid)
    for (const pid of parts) assert.ok(!(await readFile(`/proc/${pid}/environ`, 'latin1')).includes(secret))

    assert.doesNotMatch(system.output, /crashed|has not answered/)
    assert.ok(pids.filter(isAlive).length >= parts.length)
    assert.equal(await system.interrupt(), 0)
  })
