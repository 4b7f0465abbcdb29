import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@tsmicro/infra'
import { Front } from '../../src/dev/front.ts'
import type { Program } from '../../src/dev/graph.ts'
import { Reload } from '../../src/dev/reload.ts'
import { until } from '../support/supervisor.ts'
import { ask, Load, Project } from './project.ts'

const IN_FULL = Boolean(process.env.CI)
/** Half of them in a file of one service, half in a contract that two of them share. */
const EDITS = IN_FULL ? 50 : 2

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const count = (text: string, part: string) => text.split(part).length - 1

test('edits under load: new code after one restart, no failed request, nothing else restarted; mistakes keep the old code', async t => {
  await using project = new Project()
  const { system } = project
  const gateway = await system.address('gateway')
  const direct = await Promise.all(['a', 'b', 'c'].map(name => system.address(name)))
  const pids = async () => Promise.all(['a', 'b', 'c'].map(async name => (await ask(`${gateway}/${name}`)).pid))
  const load = new Load([...['a', 'b', 'c', 'a/slow'].map(path => `${gateway}/${path}`), ...direct.slice(0, 2)])
  await system.says(/following the sources of a, b, c, gateway/)

  const took: number[] = []
  for (let edit = 1; edit <= EDITS; edit++) {
    const before = await pids()
    const isShared = edit % 2 === 0
    const [file, word] = isShared ? ['contracts/shared.ts', `shared ${edit}`] : ['services/a/own.ts', `a ${edit}`]
    const startedAt = performance.now()
    project.write(
      file,
      `export const ${isShared ? 'shared' : 'own'}: string = '${word}'\n`,
      edit % 4 < 2 ? 'plain' : 'renamed',
    )
    const isNew = async (url: string) => Object.values(await ask(url)).includes(word)
    await until(`a answers "${word}"\n${system.output}`, () => isNew(`${gateway}/a`))
    if (isShared) await until(`b answers "${word}"`, () => isNew(`${gateway}/b`))
    took.push(performance.now() - startedAt)
    assert.ok(await isNew(direct[0] ?? ''))
    const after = await pids()
    assert.deepEqual(
      after.map((pid, index) => pid !== before[index]),
      [true, isShared, false],
    )
    // Only when the old ones are gone, everything that they had in progress has been answered.
    await until('the old ones have ended', () => system.pids().length === before.length + 1)
  }
  t.diagnostic(`${EDITS} edits, ${load.requests} requests: new code after ${Math.round(median(took))} ms (median)`)
  assert.deepEqual(project.starts(), { a: 1 + EDITS, b: 1 + EDITS / 2, c: 1 })

  // A mistake in syntax: shown once, at once, with its place. The old code keeps running.
  const [a, b] = await pids()
  project.write('services/a/own.ts', 'export const own: string =\n  ]\n')
  await system.says(/✗ services\/a\/own\.ts:2:3 Unexpected token\n/)
  project.write('services/c/own.ts', "export const own: string = 'c 1'\n")
  await until('c answers "c 1"', async () => (await ask(`${gateway}/c`)).own === 'c 1')
  assert.equal((await ask(`${gateway}/a`)).pid, a)
  assert.equal(count(system.output, '✗ services/a/own.ts:2:3'), 1)

  // A mistake in types: those whose code has it wait, the others do not.
  project.write('services/a/own.ts', "export const own: string = 'a fixed'\n")
  project.write('contracts/shared.ts', 'export const shared: string = 7\n')
  await system.says(/✗ contracts\/shared\.ts:1:14 TS2322: Type 'number' is not assignable to type 'string'\.\n/)
  await system.says(/a keeps running as it was until the types are right\n/)
  await system.says(/b keeps running as it was until the types are right\n/)
  assert.deepEqual((await pids()).slice(0, 2), [a, b])
  project.write('contracts/shared.ts', "export const shared: string = 'right'\n")
  await until('both answer "right"', async () =>
    (await Promise.all(['a', 'b'].map(name => ask(`${gateway}/${name}`)))).every(({ shared }) => shared === 'right'),
  )
  assert.equal((await ask(`${gateway}/a`)).own, 'a fixed')
  await system.says(/✓ no more type errors\n/)

  if (IN_FULL) await moreChanges(project, gateway)

  await load.stop()
  assert.deepEqual(load.failures, [])
  system.signal('SIGTERM')
  assert.equal(await system.ended(), 0)
})

test('a version that does not start is tried again after an undo, or when it is saved again, and not otherwise', async () => {
  const version = (text: string): Program => ({ files: new Map([['/x/main.ts', text]]), faults: [] })
  let tried = 0
  let isRight = false
  const reload = new Reload({
    ...{ name: 'x', root: '/x', program: version('A'), types: async () => ({ faults: [] }), say: () => {} },
    ...{ showOutput: () => {}, signal: new AbortController().signal },
    replace: async () => {
      tried += 1
      if (!isRight) throw new Error('not today')
      return 'is up to date'
    },
  })
  const after = async (text: string, isSaved: boolean) => {
    reload.update(version(text), isSaved)
    await sleep(1)
    return tried
  }
  assert.equal(await after('B', true), 1)
  assert.equal(await after('B', false), 1)
  assert.equal(await after('A', true), 1)
  assert.equal(await after('B', true), 2)
  isRight = true
  assert.equal(await after('B', true), 3)
  assert.equal(await after('B', true), 3)
  // What a crash or tsmicro restart has started is what runs.
  isRight = false
  assert.equal(await after('C', true), 4)
  reload.noteStart()()
  isRight = true
  assert.equal(await after('B', true), 5)
})

test('a request that offers another protocol is an ordinary one', async () => {
  const server = createServer((req, res) => res.end(`${req.method} ${req.url}`)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = await freePort()
  const front = await Front.open('x', port)
  front.moveTo((server.address() as AddressInfo).port)
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' }
  for (const method of ['GET', 'POST']) {
    const req = request({ host: '127.0.0.1', port, path: '/a', method, headers, agent: false }).end()
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    assert.deepEqual([res.statusCode, await text(res)], [200, `${method} /a`])
  }
  await front.close()
  server.close()
})

async function moreChanges(project: Project, gateway: string): Promise<void> {
  const { system } = project
  const c = (await ask(`${gateway}/c`)).pid

  // Code that does not start, and a new file.
  project.write('services/c/own.ts', "export { own } from './words.ts'\n")
  project.write('services/c/words.ts', "export const own: string = 'c 2'\nthrow new Error('not today')\n")
  await system.says(/✗ c ended while starting \(exit code 1\): the old one keeps running\n/)
  await system.says(/not today/)
  assert.equal((await ask(`${gateway}/c`)).pid, c)
  project.write('services/c/words.ts', "export const own: string = 'c 2'\n")
  await until('c answers "c 2"', async () => (await ask(`${gateway}/c`)).own === 'c 2')

  // Faster than it can follow: what is on disk in the end runs in the end.
  for (let n = 1; n <= 5; n++) {
    project.write('services/c/words.ts', `export const own: string = 'c burst ${n}'\n`)
    await sleep(n * 60)
  }
  await until('c answers "c burst 5"', async () => (await ask(`${gateway}/c`)).own === 'c burst 5')

  // What the gateway and the whole system read.
  project.write('kong.yml', readFileSync(join(project.path, 'kong.yml'), 'utf8').replace('[/c]', '[/c, /d]'))
  await until('the gateway has the new route', async () => (await fetch(`${gateway}/d`)).status === 200)
  project.write('gateway.mjs', `${readFileSync(join(project.path, 'gateway.mjs'), 'utf8')}// changed\n`)
  await system.says(/! gateway\.mjs: everything has to start again to use the new tsmicro\.config\.mjs/)
}
