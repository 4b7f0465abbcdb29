import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Child, spawnService } from '../support/child.ts'
import { until } from '../support/until.ts'

/** One request; without an agent it has its own connection. */
function get(url: string, agent: Agent | false = false): Promise<{ status: number; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent }, response => {
      response
        .resume()
        .once('end', () => resolve({ status: response.statusCode ?? 0, connection: response.headers.connection }))
    })
    sent.once('error', reject).end()
  })
}

/** Callers that send one request after another until a connection is refused. */
async function load(child: Child, callers: number, agent: Agent | false = false) {
  const seen = { answered: 0, lost: [] as string[] }
  const done = Promise.all(
    Array.from({ length: callers }, async () => {
      for (;;) {
        try {
          const { status } = await get(`${child.url()}/work`, agent)
          // Long enough for a kept connection to become idle.
          if (agent) await pause(Math.random() * 150)
          if (status === 200) seen.answered += 1
          else seen.lost.push(String(status))
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException
          if (code !== 'ECONNREFUSED') seen.lost.push(String(code))
          else return
        }
      }
    }),
  )
  return { seen, done }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} under load: every accepted request is answered, then exit 0`, async () => {
    const child = spawnService('0')
    await child.ready()
    const { seen, done } = await load(child, 16)
    await until('there is load', () => seen.answered > 50)
    child.process.kill(signal)
    await done
    assert.equal(await child.exited, 0)
    assert.deepEqual(seen.lost, [])
    const messages = child.lines.map(({ msg }) => msg)
    assert.ok(messages.includes('stopping') && messages.includes('work has stopped'))
  })
}

test('a stop loses no request of clients that keep their connections', async () => {
  const child = spawnService('0')
  await child.ready()
  const agent = new Agent({ keepAlive: true })
  const { seen, done } = await load(child, 16, agent)
  await until('there is load', () => seen.answered > 100)
  child.process.kill('SIGTERM')
  await done
  assert.equal(await child.exited, 0)
  assert.deepEqual(seen.lost, [])
  agent.destroy()
})

test('a keep-alive connection does not delay the stop, and is informed', async () => {
  const child = spawnService('0')
  await child.ready()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const answer = new Promise<string | undefined>((resolve, reject) => {
    request(`${child.url()}/work`, { agent }, response => {
      response.resume().once('end', () => resolve(response.headers.connection))
    })
      .once('error', reject)
      .once('socket', socket => socket.once('connect', () => child.process.kill('SIGTERM')))
      .end()
  })
  assert.equal(await answer, 'close')
  assert.equal(await child.exited, 0)
  assert.ok(!child.lines.some(({ msg }) => msg === 'gave up waiting for requests in progress'))
  agent.destroy()
})

test('an uncaught exception: what is in progress is finished, then exit 1', async () => {
  const child = spawnService('0')
  await child.ready()
  const working = get(`${child.url()}/work`)
  const thrown = get(`${child.url()}/throw`)
  assert.equal((await thrown).status, 200)
  assert.equal((await working).status, 200)
  assert.equal(await child.exited, 1)
  assert.ok(child.lines.some(({ msg }) => msg === 'uncaught exception'))
})

test('a port in use: one clear line, exit 1', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const child = spawnService(String(port))
  assert.equal(await child.exited, 1)
  const [line, ...more] = child.lines.filter(({ level }) => level === 'error')
  assert.equal(line?.msg, `work cannot listen on 127.0.0.1:${port}: the port is taken, choose another with PORT`)
  assert.deepEqual([line?.err, more], [undefined, []])
  other.close()
})

test('a signal during the wait for a dependency: exit 0', async () => {
  const child = spawnService('0', 'hang')
  await until('it waits', () => child.lines.some(({ msg }) => String(msg).startsWith('waiting for database')))
  child.process.kill('SIGTERM')
  assert.equal(await child.exited, 0)
  assert.deepEqual(
    child.lines.filter(({ level }) => level === 'error'),
    [],
  )
})
