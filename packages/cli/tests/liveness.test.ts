import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isAlive, locateNats } from '@tsmicro/infra'
import { type Watched, watchLiveness } from '../src/supervise/liveness.ts'
import { startSystem, tempDir, until } from './support/supervisor.ts'

const skip = (await locateNats()) === undefined ? 'there is no nats-server here' : false

/** A part that answers as the test wants, and counts how often it was ended. */
function part(patience = 1) {
  const it = { name: 'w', pid: process.pid as number | undefined, patience, silent: false, ended: 0, asked: 0 }
  const watched: Watched = {
    ...{ name: it.name, patience },
    get pid() {
      return it.pid
    },
    answers: async () => {
      it.asked += 1
      return !it.silent
    },
    end: () => {
      it.ended += 1
      it.silent = false
    },
  }
  return { it, watched }
}

test('a silent part is first reported, then ended, unless it answers in between', async () => {
  const said: string[] = []
  const { it, watched } = part()
  const watch = watchLiveness([watched], { limitMs: 400, say: text => said.push(text) })
  it.silent = true
  await until('it is reported', () => said.length === 1)
  it.silent = false
  await until('it is reported', () => said.length === 2)
  assert.equal(it.ended, 0)
  it.silent = true
  await until('it is ended', () => it.ended === 1)
  watch.stop()
  const first = 'w has not answered for 0.1 s; it is restarted after 0.4 s (never with LIVENESS_SECONDS=0)'
  assert.deepEqual(said, [first, 'w answers again', first, 'w has not answered for 0.4 s and is killed'])
})

test('a part that does not run is not checked', async () => {
  const said: string[] = []
  const { it, watched } = part()
  it.pid = undefined
  it.silent = true
  const watch = watchLiveness([watched], { limitMs: 400, say: text => said.push(text) })
  watch.stop()
  assert.deepEqual([it.asked, it.ended, said], [0, 0, []])
})

test('a service and a server that hang are restarted, but a frozen one is left alone', { skip }, async () => {
  using dir = tempDir()
  await using system = startSystem(dir.path, { LIVENESS_SECONDS: '2' })
  const auth = await system.address('auth')
  const { pid } = (await (await fetch(auth)).json()) as { pid: number }
  process.kill(pid, 'SIGSTOP')
  await system.says(/auth was stopped by a signal and is left alone until it continues/)
  process.kill(pid, 'SIGCONT')
  await system.says(/auth answers again/)
  assert.ok(isAlive(pid))

  fetch(`${auth}/hang`).catch(() => {})
  await system.says(/auth has not answered for 0\.5 s; it is restarted after 2 s/)
  await system.says(/auth has not answered for 2 s and is killed\n(.*\n)*auth crashed \(SIGKILL\), restarting in/)
  await system.says(/auth is up again/)
  assert.ok(!isAlive(pid))
  assert.equal((await fetch(auth)).status, 200)
  assert.doesNotMatch(system.output, /nats .*is killed|nats crashed/)
  system.signal('SIGINT')
  assert.equal(await system.ended(), 0)
})

test('children get the variables that are named for them, and nothing else of the environment', { skip }, async () => {
  using dir = tempDir()
  const env = { NPM_TOKEN: 'hidden', PASSED: 'shown', AWS_SECRET_ACCESS_KEY: 'hidden', NODE_OPTIONS: '--no-warnings' }
  await using system = startSystem(dir.path, { ...env, LOG_LEVEL: 'info', TZ: 'UTC' })
  const [auth, blog] = [await system.address('auth'), await system.address('blog')]
  const seen = async (url: string) => (await (await fetch(`${url}/environment`)).json()) as Record<string, string>
  const { PASSED, TZ, LOG_LEVEL, NODE_ENV } = await seen(auth)
  assert.deepEqual([PASSED, TZ, LOG_LEVEL, NODE_ENV], ['shown', 'UTC', 'info', 'development'])
  assert.equal((await seen(blog)).PASSED, undefined)
  for (const pid of system.pids()) {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
    assert.doesNotMatch(environment, /hidden|NODE_OPTIONS/)
  }
})
