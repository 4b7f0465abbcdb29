import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { descendants, isAlive, locateNats, startNats } from '@tsmicro/infra'
import { CONFIG, commandLine, startSystem, tempDir, until } from './support/supervisor.ts'

const skip = (await locateNats()) === undefined ? 'there is no nats-server here' : false

test('a service that ends while starting: its last lines are shown, the exit code is 1, and nothing is left', {
  skip,
}, async () => {
  using dir = tempDir()
  await using system = startSystem(dir.path, { FAULT_BLOG: 'start' })
  assert.equal(await system.ended(), 1)
  assert.match(
    system.output,
    /blog ended while starting \(exit code 3\)\. Its last lines:\nblog +│ the database schema/,
  )
  assert.match(system.output, /tsmicro: blog ended while starting \(exit code 3\)\n$/)
  assert.doesNotMatch(system.output, /Ctrl-C stops/)
})

test('a service that never gets ready is named, and the start given up', { skip }, async () => {
  using dir = tempDir()
  await using system = startSystem(dir.path, { FAULT_AUTH: 'never-ready', READY_TIMEOUT_MS: '8000' })
  assert.equal(await system.ended(), 1)
  assert.match(system.output, /auth was not ready after \d+ s/)
})

test('Ctrl-C during the start, and a second one right after it', { skip }, async () => {
  using dir = tempDir()
  await using patient = startSystem(dir.path, { FAULT_AUTH: 'never-ready' })
  await patient.says(/listening as auth/)
  const pids = patient.pids()
  patient.signal('SIGINT')
  assert.equal(await patient.ended(), 0)
  assert.ok(!pids.some(isAlive))

  await using hasty = startSystem(dir.path, { FAULT_AUTH: 'slow-end' })
  await hasty.address('gateway')
  const running = hasty.pids()
  hasty.signal('SIGINT')
  await hasty.says(/stopping services/)
  await until('it ends', () => {
    hasty.signal('SIGINT')
    return hasty.process.exitCode !== null
  })
  assert.equal(await hasty.ended(), 130)
  await until('nothing is left', () => !running.some(isAlive))
})

test('a taken GATEWAY_PORT is reported in one clear line', { skip }, async () => {
  using dir = tempDir()
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  await using system = startSystem(dir.path, { GATEWAY_PORT: String(port) })
  assert.equal(await system.ended(), 1)
  assert.match(system.output, new RegExp(`^tsmicro: port ${port} is taken: .*GATEWAY_PORT=\\d+ npm start\\n$`))
  other.close()
})

test('with NATS_URL, that server is used and none is started', { skip }, async () => {
  using dir = tempDir()
  await using nats = await startNats({ ephemeral: true })
  await using system = startSystem(dir.path, { NATS_URL: nats.url })
  assert.equal(await system.address('nats'), nats.url)
  assert.match(system.output, /✓ nats .* from NATS_URL/)
  assert.equal(system.pids().length, 3)
  system.signal('SIGTERM')
  assert.equal(await system.ended(), 0)
  assert.notEqual(nats.pid, undefined)
})

test('the supervisor ends itself in order when its parent is killed', { skip }, async () => {
  using dir = tempDir()
  const [command, args] = commandLine('start', '--config', CONFIG)
  // The shell stands in for npm: it waits for the supervisor, and is killed.
  const npm = spawn('sh', ['-c', '"$@" & wait', 'sh', command, ...args], {
    env: { ...process.env, DATA_DIR: dir.path, GATEWAY_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  npm.stdout.on('data', chunk => {
    output += chunk
  })
  await until('it is ready', () => output.includes('Ctrl-C stops'))
  const pids = descendants(npm.pid ?? 0)
  assert.equal(pids.length, 5)
  npm.kill('SIGKILL')
  await until('all have ended', () => !pids.some(isAlive))
  assert.match(output, /stopping infrastructure: nats/)
})
