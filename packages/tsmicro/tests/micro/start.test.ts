import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { StartError } from 'tsmicro'
import { dependency } from '../support/dependency.ts'
import { build } from '../support/service.ts'
import { until } from '../support/until.ts'

const startError = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StartError, String(error))
  assert.match(error.message, pattern)
  assert.doesNotMatch(error.message, /\n/)
  return true
}

test('dependencies are connected in order, then prepared; stopped in reverse', async () => {
  const calls: string[] = []
  const step = (name: string) => ({ name, run: async () => void calls.push(name) })
  const { service, log } = build({
    dependencies: [dependency('one', calls), dependency('two', calls)],
    prepare: [step('migrations'), step('seeds')],
  })
  await service.start()
  assert.equal((await fetch(`${service.url}/health`)).status, 200)
  const { url } = service
  await service.stop()
  await service.stop()
  assert.deepEqual(calls, ['connect one', 'connect two', 'migrations', 'seeds', 'close two', 'close one'])
  await assert.rejects(fetch(`${url}/health`))
  assert.ok(log.at('info').some(({ message }) => message === 'shop is ready'))
})

test('a late dependency is waited for, visibly', async () => {
  const calls: string[] = []
  const { service, log } = build({ dependencies: [dependency('database', calls, 2)] })
  await service.start()
  await service.stop()
  const waiting = log.lines.filter(({ message }) => message === 'waiting for database: refused: port 1 is closed')
  assert.equal(waiting.length, 2)
})

test('a missing dependency fails the start with one line; connected ones are closed', async () => {
  const calls: string[] = []
  const never = dependency('database', calls, Number.POSITIVE_INFINITY)
  const { service } = build({ dependencies: [dependency('first', calls), never], startTimeoutMs: 150 })
  await assert.rejects(
    service.start(),
    startError(/^database did not become usable within 0.15 s: refused: port 1 is closed$/),
  )
  assert.deepEqual(calls.slice(-2), ['close database', 'close first'])
})

test('one that hangs ends the start, too', async () => {
  const hanging = dependency('database', [])
  hanging.state = 'hanging'
  const { service } = build({ dependencies: [hanging], startTimeoutMs: 50 })
  await assert.rejects(service.start(), startError(/^database did not become usable within 0.05 s: no answer$/))
})

test('a missing NATS is named', async () => {
  const { service } = build({ natsUrl: 'nats://127.0.0.1:1', startTimeoutMs: 100 })
  await assert.rejects(service.start(), startError(/^nats did not become usable within 0.1 s: /))
})

test('a NATS URL without a server is reported immediately, without its password', async () => {
  for (const natsUrl of [
    'nats://',
    'http://127.0.0.1:4222',
    'nats://u:hidden%zz@127.0.0.1:1',
    'nats://a:1,postgres://b',
  ])
    await assert.rejects(
      build({ natsUrl, startTimeoutMs: 600_000 }).service.start(),
      startError(
        /^nats cannot be used: the URL cannot be read: expected nats:\/\/user:password@host:port, (?!.*hidden)/,
      ),
    )
})

test('the last error of a dependency is reported if it hangs in the end', async () => {
  let attempts = 0
  const failing = {
    ...dependency('database', []),
    connect: () => (attempts++ === 0 ? Promise.reject(new Error('its name is unknown')) : new Promise<void>(() => {})),
  }
  const { service } = build({ dependencies: [failing], startTimeoutMs: 300 })
  await assert.rejects(
    service.start(),
    startError(/^database did not become usable within 0.3 s: its name is unknown$/),
  )
})

test('a failed preparation is named', async () => {
  const calls: string[] = []
  const run = async () => {
    throw new Error('query failed', { cause: new Error('no such table') })
  }
  const { service } = build({ dependencies: [dependency('one', calls)], prepare: [{ name: 'migrations', run }] })
  await assert.rejects(service.start(), startError(/^migrations failed: query failed: no such table$/))
  assert.deepEqual(calls, ['connect one', 'close one'])
})

test('a stop during the start ends both; nothing stays connected', async () => {
  for (const state of ['up', 'hanging'] as const) {
    const calls: string[] = []
    const waiting = dependency('two', calls, Number.POSITIVE_INFINITY)
    waiting.state = state
    const { service } = build({ dependencies: [dependency('one', calls), waiting] })
    const started = service.start()
    const refused = assert.rejects(started, startError(/^the service was stopped while it started$/))
    await until('it waits for the second', () => calls.includes('connect two'))
    await service.stop()
    await refused
    assert.deepEqual(calls.slice(-2), ['close two', 'close one'])
  }
})

test('a service that was stopped before its start does not start', async () => {
  const { service } = build({})
  await service.stop()
  await assert.rejects(service.start(), StartError)
})

test('a port in use, or a foreign address, is reported in one clear line', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const calls: string[] = []
  const { service } = build({ http: { port }, dependencies: [dependency('one', calls)] })
  await assert.rejects(
    service.start(),
    startError(new RegExp(`^shop cannot listen on 127.0.0.1:${port}: the port is taken, choose another with PORT$`)),
  )
  assert.deepEqual(calls, ['connect one', 'close one'])
  other.close()
  await assert.rejects(build({ http: { host: '192.0.2.1' } }).service.start(), startError(/does not have the address/))
})

test('a hanging preparation delays `start` no longer than a stop takes', async () => {
  const begun = Promise.withResolvers<void>()
  const run = () => {
    begun.resolve()
    return new Promise<void>(() => {})
  }
  const { service } = build({ prepare: [{ name: 'seeds', run }], drainTimeoutMs: 50 })
  const started = assert.rejects(service.start(), startError(/^the service was stopped while it started$/))
  await begun.promise
  await service.stop()
  await started
})

test('a stopped service does not start again, and says so', async () => {
  const { service } = build({})
  await service.start()
  await service.stop()
  await assert.rejects(service.start(), startError(/^shop was stopped: create a new one to start it again$/))
})
