import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '@tsmicro/infra'
import { Supervisor, tempDir } from './support/supervisor.ts'

interface Finding {
  readonly name: string
  readonly state: string
  readonly found: string
  readonly hint?: string
}

/** Runs `tsmicro doctor` in its own words, or in JSON. */
async function doctor(args: readonly string[], env: NodeJS.ProcessEnv) {
  await using command = new Supervisor(args, env)
  const code = await command.ended()
  const findings = args.includes('--json')
    ? (JSON.parse(command.output) as { ok: boolean; findings: Finding[] }).findings
    : []
  return { code, output: command.output, of: (name: string) => findings.filter(each => each.name === name) }
}

test('what is there is found, what is not is named with what to do, and the exit code says which', async () => {
  using dir = tempDir()
  const config = join(dir.path, 'tsmicro.config.ts')
  const cli = new URL('../src/index.ts', import.meta.url).href
  const own = await freePort()
  const taken = createServer()
  taken.listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  writeFileSync(join(dir.path, 'main.ts'), '')
  writeFileSync(
    config,
    `import { defineSystem } from '${cli}'
export default defineSystem({
  infra: ['documents', 'postgres'],
  optionalInfra: ['redis'],
  services: { shop: { entry: 'main.ts', port: ${own} }, orders: { entry: 'main.ts', port: ${port} } },
  gateway: { entry: 'main.ts', config: 'main.ts' },
})
`,
  )
  const data = join(dir.path, 'data')
  const dead = await freePort()
  const env = {
    DATA_DIR: data,
    GATEWAY_PORT: String(port),
    DATABASE_URL: `postgres://me:secret@127.0.0.1:${dead}/shop`,
    // Neither redis-server nor npm is there.
    PATH: dir.path,
  }
  const ill = await doctor(['--config', config, 'doctor', '--json'], env)
  assert.equal(ill.code, 1)
  assert.deepEqual(ill.of('postgres'), [
    {
      name: 'postgres',
      state: 'missing',
      found: `nobody accepts connections at postgres://me:***@127.0.0.1:${dead}/shop`,
      hint: 'start that server, or unset the variable to use one of your own',
    },
  ])
  assert.ok(!ill.output.includes('secret'))
  assert.deepEqual(
    ill.of(`port ${port}`).map(({ state }) => state),
    ['missing', 'note'],
  )
  assert.equal(ill.of(`port ${own}`)[0]?.state, 'ok')
  assert.equal(ill.of('documents')[0]?.state, 'ok')
  assert.equal(ill.of('redis')[0]?.state, 'note')
  assert.match(ill.of('redis')[0]?.hint ?? '', /apt install redis-server/)
  assert.equal(ill.of('npm')[0]?.state, 'note')
  assert.match(ill.of('data folder')[0]?.found ?? '', /does not exist yet, and can be made/)
  assert.deepEqual(ill.of('nats'), [])
  for (const name of ['node', 'disk', 'clock', 'temporary files', 'system'])
    for (const { state } of ill.of(name)) assert.notEqual(state, 'missing', name)

  const text = await doctor(['--config', config, 'doctor'], {
    ...env,
    DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/x`,
    GATEWAY_PORT: '0',
  })
  assert.equal(text.code, 0, text.output)
  assert.match(text.output, /^✓ postgres +postgres:\/\/u:\*\*\*@127/m)
  assert.match(text.output, /\nNothing is missing\.\n$/)

  // A folder that is somebody's, an invalid configuration and variable.
  mkdirSync(data)
  writeFileSync(join(data, 'photo'), '')
  writeFileSync(config, 'export default {')
  const broken = await doctor(['--config', config, 'doctor', '--json'], { ...env, GATEWAY_PORT: '80x' })
  assert.equal(broken.code, 1)
  assert.equal(broken.of('system')[0]?.state, 'missing')
  assert.match(broken.of('environment')[0]?.found ?? '', /GATEWAY_PORT=80x is not a port number/)
  const foreign = await doctor(['--config', config, 'doctor', '--json'], { DATA_DIR: data })
  assert.match(foreign.of('data folder')[0]?.found ?? '', /has files that are not tsmicro's/)

  // What cannot even be asked for is missing like anything else.
  const impossible = { DATA_DIR: join(data, 'photo'), DATABASE_URL: 'postgres://me:secret@127.0.0.1:543210/shop' }
  const file = await doctor(['--config', 'none.ts', 'doctor', '--json'], impossible)
  assert.match(file.of('data folder')[0]?.found ?? '', /photo is not a folder$/)
  assert.deepEqual([file.of('postgres')[0]?.state, file.of('clock').length], ['missing', 1])
  assert.doesNotMatch(file.output, /secret|\n +at /)
  taken.close()
})

test('without a system it looks for all servers and needs none', async () => {
  using dir = tempDir()
  const none = join(dir.path, 'tsmicro.config.ts')
  const { code, of } = await doctor(['--config', none, 'doctor', '--json'], { DATA_DIR: join(dir.path, 'data') })
  assert.equal(code, 0)
  assert.equal(of('system')[0]?.state, 'note')
  for (const name of ['nats', 'postgres', 'documents', 'redis', 'pgbouncer']) assert.equal(of(name).length, 1, name)
})
