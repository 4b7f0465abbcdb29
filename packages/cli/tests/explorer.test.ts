/** The explorer that comes with `tsmicro start`, and the one that runs alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readEnvironment } from '../src/command-line.ts'
import { UsageError } from '../src/errors.ts'
import { runExplorerCommand } from '../src/explorer/command.ts'
import { CONFIG, Supervisor, startSystem, tempDir } from './support/supervisor.ts'

const EXPLORED = fileURLToPath(new URL('fixtures/explored/tsmicro.config.ts', import.meta.url))

/** Asks an explorer with the token in its address. */
async function ask(address: string, path: string, body?: string): Promise<Response> {
  const [origin, token = ''] = address.split('/#token=')
  const sent = body === undefined ? {} : { method: 'POST', body }
  return fetch(`${origin}${path}`, { ...sent, headers: { 'x-explorer-token': token } })
}

test('start serves it, and its table has the address with the token, which no log has', async () => {
  using dir = tempDir()
  await using system = startSystem(dir.path, {}, '--config', EXPLORED)
  const address = await system.address('explorer')
  await system.says(/✓ explorer +ready in/)
  const catalogue = (await (await ask(address, '/-/catalogue')).json()) as { services: { name: string }[] }
  assert.deepEqual(
    catalogue.services.map(({ name }) => name),
    ['shop'],
  )
  assert.equal((await ask(address.replace(/token=.*/, 'token='), '/-/catalogue')).status, 401)
  assert.equal((await ask(address, '/-/http/shop/')).headers.has('x-answer'), true)
  assert.equal(system.output.split(address.split('#token=')[1] ?? '').length, 2)
  system.signal('SIGTERM')
  assert.equal(await system.ended(), 0)
})

test('it is off in production unless it is switched on, and off where somebody says so', () => {
  const isOn = (env: NodeJS.ProcessEnv) => readEnvironment(env).explorer
  assert.deepEqual(
    [{}, { NODE_ENV: 'production' }, { NODE_ENV: 'production', EXPLORER: 'on' }, { EXPLORER: 'off' }].map(isOn),
    [true, false, true, false],
  )
  assert.throws(() => isOn({ EXPLORER: 'yes' }), /EXPLORER=yes is neither on nor off/)
})

test('explorer alone prints its address and ends with its signal; what it needs is said in one line', async () => {
  await using alone = new Supervisor(
    ['--config', EXPLORED, 'explorer', '--gateway', 'http://127.0.0.1:1', '--port', '0'],
    {},
  )
  const [address] = await alone.says(/^http:\/\/127\.0\.0\.1:\d+\/#token=\S{43}$/m)
  assert.equal((await ask(address, '/-/http/shop/item')).status, 502)
  assert.equal((await ask(address, '/-/http/shop/item', 'x'.repeat(100_000))).status, 502)
  alone.signal('SIGTERM')
  assert.equal(await alone.ended(), 0)
  const run = (configFile: string, ...args: string[]) =>
    runExplorerCommand({ configFile, args, env: {}, write: () => {}, gone: AbortSignal.abort() })
  await assert.rejects(run(EXPLORED), /say where the gateway is: --gateway http:\/\/HOST:PORT/)
  await assert.rejects(run(EXPLORED, '--gateway', 'http://x', '--port', '70000'), UsageError)
  await assert.rejects(run(CONFIG, '--gateway', 'http://x'), /names no contracts/)
})
