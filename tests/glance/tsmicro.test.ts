/** The five tasks of docs/api-at-a-glance.md in tsmicro: each does what it says there, in few lines. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { childEnvironment, type Server, startNats } from '@tsmicro/infra'
import { NatsClient, VALIDATION_FAILED } from 'tsmicro'
import { FRAMEWORKS, lineCount, roleDiff, type Task } from '../../tools/glance.ts'
import type { Program } from '../support/program.ts'
import { assertForgets, assertGreets, assertHandles, run } from './support.ts'
import { overHttp, overNats } from './tsmicro/call.ts'

const LIMITS: Readonly<Record<Task, number>> = { serve: 15, call: 3, event: 8, role: 1, test: 8 }

const fileOf = (task: string) => fileURLToPath(new URL(`tsmicro/${task}.ts`, import.meta.url))
const running = async (task: string, body: (program: Program) => Promise<void>) => {
  await using program = await run(fileOf(task), nats.url)
  await body(program)
}

let nats: Server
before(async () => {
  nats = await startNats({ ephemeral: true })
})
after(() => nats?.stop())

for (const [task, limit] of Object.entries(LIMITS) as [Task, number][]) {
  test(`${task}: at most ${limit === 1 ? '1 line' : `${limit} lines`}`, () => {
    const [tsmicro] = FRAMEWORKS
    assert.ok(tsmicro)
    const count = lineCount(tsmicro, task)
    assert.ok(count > 0 && count <= limit, `${count} lines`)
  })
}

test('a role instead of any user is one word', () => {
  const [tsmicro] = FRAMEWORKS
  assert.ok(tsmicro)
  const changed = roleDiff(tsmicro).filter(line => /^[-+]/.test(line))
  assert.deepEqual(
    changed.map(line => line.replace(/ +/, ' ')),
    ["- access: 'user',", '+ access: roles.EDITOR,'],
  )
})

test('serves at both doors, and is called', t =>
  running('serve', async program => {
    await assertGreets(program)
    const caller = new NatsClient({ url: nats.url, name: 'caller' })
    await caller.connect()
    t.after(() => caller.close())
    for (const call of [(name: string) => overHttp(program.url, name), (name: string) => overNats(caller, name)]) {
      assert.deepEqual(await call('Ada'), { text: 'Hello Ada' })
      await assert.rejects(call('A'), VALIDATION_FAILED)
    }
  }))

test('publishes and handles an event', () => running('event', assertHandles))

test('users, then only editors', async () => {
  await Promise.all([
    running('user', program => assertForgets(program, true)),
    running('role', program => assertForgets(program, false)),
  ])
})

test('its test passes', async () => {
  const command = [fileOf('test')]
  await promisify(execFile)(process.execPath, command, { env: childEnvironment() }).catch(error => {
    assert.fail(error.stdout)
  })
})
