// CI alone: packages/document-server/tests/limits.test.ts and services/blog/tests/faults.test.ts meet a full disk by hand.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DEMO_API_KEY } from '@blog-platform/auth-service/demo'
import { locateNats, signalTree } from '@tsmicro/infra'
import { Disk, isDiskFull } from '../src/supervise/disk.ts'
import { CONFIG, commandLine, Supervisor, tempDir, until } from './support/supervisor.ts'

const PLATFORM = fileURLToPath(new URL('../../../tsmicro.config.ts', import.meta.url))
const skip = (await locateNats()) === undefined ? 'there is no nats-server here' : false

test('a full disk is recognised in errors and output', () => {
  const enospc = Object.assign(new Error('write'), { code: 'ENOSPC' })
  const full = [
    enospc,
    Object.assign(new Error('write'), { code: 'EDQUOT' }),
    new Error('outer', { cause: enospc }),
    Object.assign(new Error('initdb failed'), { output: ['FATAL:  could not write: No space left on device'] }),
    ['ERR database or disk is full'],
  ]
  assert.deepEqual(
    full.map(isDiskFull),
    full.map(() => true),
  )
  const other = [
    undefined,
    [],
    new Error('ENOENT'),
    new Error('space'),
    'no space left on device',
    ['permission denied'],
  ]
  assert.deepEqual(
    other.map(isDiskFull),
    other.map(() => false),
  )
})

test('work that fails on a full disk is repeated until there is room, and both the beginning and the end are reported once', async () => {
  using dir = tempDir()
  const said: string[] = []
  const disk = new Disk(dir.path, text => said.push(text))
  let left = 2
  const work = async () => {
    if (left-- > 0) throw Object.assign(new Error('write'), { code: 'ENOSPC' })
    return 'done'
  }
  assert.equal(await disk.withRoom(new AbortController().signal, work), 'done')
  assert.deepEqual(said, [
    `no space left on the disk of ${dir.path} (ENOSPC): make room there, and everything that cannot run now starts by itself`,
    `there is room again on the disk of ${dir.path}`,
  ])
  await assert.rejects(
    disk.withRoom(new AbortController().signal, () => Promise.reject(new Error('other'))),
    /other/,
  )
  const stopping = new AbortController()
  left = 1000
  const waiting = disk.withRoom(stopping.signal, work)
  stopping.abort()
  await assert.rejects(waiting, { name: 'AbortError' })
})

/** Why no small disk is possible here, or false if one is. */
function whyNoDisk(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root can mount a small disk'
  using dir = tempDir()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir.path], { stdio: 'pipe' })
  } catch {
    return 'this container may not mount a small disk'
  }
  execFileSync('umount', [dir.path])
  return false
}

/** A separate disk of 160 MiB. */
function smallDisk(): Disposable & { readonly path: string; fill(): void; empty(): void } {
  using resources = new DisposableStack()
  const dir = resources.use(tempDir())
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=700', 'tmpfs', dir.path])
  resources.defer(() => execFileSync('umount', ['-l', dir.path]))
  const ballast = join(dir.path, 'ballast')
  const owned = resources.move()
  return {
    path: dir.path,
    fill: () => {
      const file = openSync(ballast, 'a')
      try {
        for (const size of [1 << 20, 4096, 1]) fillBy(file, Buffer.alloc(size))
      } finally {
        closeSync(file)
      }
    },
    empty: () => rmSync(ballast),
    [Symbol.dispose]: () => owned.dispose(),
  }
}

function fillBy(file: number, chunk: Buffer): void {
  try {
    for (;;) writeSync(file, chunk)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

test('a disk that fills up while everything runs is reported once, and again when there is room', {
  skip: whyNoDisk(),
}, async () => {
  using small = smallDisk()
  const said: string[] = []
  const disk = new Disk(small.path, text => said.push(text))
  const stopping = new AbortController()
  const watching = disk.watch(stopping.signal, 10)
  for (const round of [1, 2]) {
    small.fill()
    await until('it is reported', () => said.length === 2 * round - 1)
    small.empty()
    await until('it is over', () => said.length === 2 * round)
  }
  assert.deepEqual(
    said.map(text => text.split(' on ')[0]),
    Array(2).fill(['no space left', 'there is room again']).flat(),
  )
  stopping.abort()
  await watching
})

/** The secrets in a data folder, by file name. */
function secretsOf(data: string): Record<string, string> {
  const files = ['secrets/gateway', 'secrets/verify', 'nats-users/passwords.json', 'postgres/cluster/password']
  const keys = readdirSync(join(data, 'keys')).map(name => `keys/${name}`)
  return Object.fromEntries([...files, ...keys].map(name => [name, readFileSync(join(data, name), 'utf8')]))
}

/** The processes of the embedded servers, without PostgreSQL's backends. */
function serversOf(system: Supervisor): number[] {
  const servers = ['native/bin/postgres', 'nats-server', 'document-server']
  return system.pids().filter(pid => {
    const command = commandOf(pid)
    return servers.some(name => command.some(word => word.includes(name)))
  })
}

function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return [] // it has ended
  }
}

const FULL = /^no space left on the disk of .*data \(ENOSPC\): make room there/gm

test('the platform on a full disk: it waits at the start and when a part has crashed, and is complete again when there is room', {
  skip: skip || whyNoDisk(),
}, async () => {
  using disk = smallDisk()
  const data = join(disk.path, 'data')
  disk.fill()
  const env = { DATA_DIR: data, DATABASE_URL: '', MONGODB_URL: '', NATS_URL: '', REDIS_URL: '', LOG_LEVEL: 'warn' }
  await using system = new Supervisor(['start', '--config', PLATFORM], env)
  await system.says(FULL)
  assert.equal(system.process.exitCode, null)
  disk.empty()
  const gateway = await system.address('gateway')
  await system.says(/there is room again on the disk of/)
  assert.equal(system.output.match(FULL)?.length, 1, system.output)
  const secrets = secretsOf(data)

  // The space that a crash frees is taken immediately, though a server may sometimes be faster.
  const told = () => system.output.match(FULL)?.length === 2
  await until('a server has no space left', async () => {
    for (const pid of told() ? [] : serversOf(system)) signalTree(pid, 'SIGKILL')
    for (let turn = 0; turn < 200 && !told(); turn++) {
      disk.fill()
      await sleep(5)
    }
    return told()
  })
  assert.deepEqual(secretsOf(data), secrets)
  disk.empty()
  for (const name of ['nats', 'postgres', 'documents']) await system.says(new RegExp(`${name} is up again`))
  const signUp = () =>
    fetch(`${gateway}/auth/signup/basic`, {
      method: 'POST',
      headers: { 'x-api-key': DEMO_API_KEY, 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ada@example.org', password: 'countess-of-1815', name: 'Ada' }),
    })
  await until('a sign-up is answered', async () => (await signUp()).status === 200)
  assert.deepEqual(secretsOf(data), secrets)
  system.signal('SIGINT')
  assert.equal(await system.ended(), 0)
})

test('a log on a full disk loses lines, but the system goes on', { skip }, async () => {
  using dir = tempDir()
  const [command, args] = commandLine('start', '--config', CONFIG)
  const system = spawn('sh', ['-c', 'exec "$@" >/dev/full 2>&1', 'sh', command, ...args], {
    env: { ...process.env, DATA_DIR: dir.path, GATEWAY_PORT: '0', DIARY: `${dir.path}/diary` },
    stdio: 'ignore',
  })
  try {
    const { readControlFile } = await import('../src/restart/control.ts')
    await until('it is ready', async () => (await readControlFile(dir.path)) !== undefined)
    assert.equal(system.exitCode, null)
    const gone = once(system, 'exit')
    system.kill('SIGINT')
    assert.deepEqual(await gone, [0, null])
  } finally {
    system.kill('SIGKILL')
  }
})
