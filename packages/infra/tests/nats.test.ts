import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { InfraError, isAlive, locateNats, type Server, startNats } from '../src/index.ts'
import { tempDir } from './support/temp.ts'
import { until } from './support/until.ts'

const skip = (await locateNats()) === undefined ? 'there is no nats-server here' : false

async function ask(server: Server, subject: string, body: unknown = ''): Promise<Record<string, unknown>> {
  const nats = await connect({ servers: server.url })
  try {
    return (await nats.request(subject, typeof body === 'string' ? body : JSON.stringify(body))).json()
  } finally {
    await nats.close()
  }
}

test('an ephemeral server has JetStream and leaves nothing behind', { skip }, async () => {
  const server = await startNats({ ephemeral: true })
  const { pid } = server
  assert.ok(pid !== undefined && isAlive(pid))
  const made = await ask(server, '$JS.API.STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] })
  assert.equal(made.error, undefined)
  await server.stop()
  await server.stop()
  assert.equal(server.pid, undefined)
  assert.equal(isAlive(pid), false)
  await assert.rejects(server.restart(), InfraError)
})

test('acknowledged writes survive kill -9 and a clean restart, on the same port', { skip }, async () => {
  using dir = tempDir()
  const exits: unknown[] = []
  await using server = await startNats({ dataDir: dir.path, onExit: exit => exits.push(exit.signal) })
  const { url, pid } = server
  await ask(server, '$JS.API.STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] })
  await ask(server, 's.one', 'first')
  server.kill('SIGKILL')
  await until('the crash is reported', () => exits.length === 1)
  assert.equal(server.pid, undefined)
  await server.restart()
  assert.equal(server.url, url)
  assert.notEqual(server.pid, pid)
  await ask(server, 's.two', 'second')
  await server.restart()
  const info = await ask(server, '$JS.API.STREAM.INFO.S')
  assert.equal((info.state as { messages: number }).messages, 2)
  assert.deepEqual(exits, ['SIGKILL'])
  await server.stop()
  assert.ok(existsSync(dir.path))
})

test('a stopped process answers again after SIGCONT, and can be stopped while it hangs', { skip }, async () => {
  await using server = await startNats({ ephemeral: true })
  server.kill('SIGSTOP')
  server.kill('SIGCONT')
  await ask(server, '$JS.API.INFO')
  server.kill('SIGSTOP')
})

test('several servers at once have separate ports and data', { skip }, async () => {
  const servers = await Promise.all(Array.from({ length: 4 }, () => startNats({ ephemeral: true })))
  try {
    assert.equal(new Set(servers.map(server => server.url)).size, 4)
    await Promise.all(
      servers.map(async server => {
        const made = await ask(server, '$JS.API.STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] })
        assert.equal(made.error, undefined)
      }),
    )
  } finally {
    await Promise.all(servers.map(server => server.stop()))
  }
})
