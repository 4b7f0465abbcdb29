import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readArguments } from '../src/command-line.ts'
import { defineSystem } from '../src/index.ts'
import { CONFIG, Supervisor, tempDir } from './support/supervisor.ts'

async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<[code: number | null, output: string]> {
  await using tsmicro = new Supervisor(args, env)
  return [await tsmicro.ended(), tsmicro.output]
}

test('every command has --help, with an example of it', async () => {
  const [code, help] = await run(['--help'])
  assert.equal(code, 0)
  const listed = [...help.matchAll(/^(?:Usage:|\s+) tsmicro ([a-z]+)/gm)].map(([, name = '']) => name)
  assert.deepEqual(listed, [
    'start',
    'dev',
    'restart',
    'new',
    'add',
    'generate',
    'doctor',
    'gateway',
    'contracts',
    'events',
    'explorer',
  ])
  const helps = await Promise.all(
    listed.map(async name => {
      const args = name === 'gateway' ? ['gateway', 'run'] : [name]
      const [status, text] = await run([name, '--help'])
      assert.equal(status, 0)
      assert.match(text, new RegExp(`^Usage: tsmicro ${args.join(' ')}\\b`))
      assert.match(text, new RegExp(`^Examples?: (?:[A-Z_]+=\\S+ |npx )?tsmicro ${args.join(' ')}\\b`, 'm'))
      assert.match(text, /--help/)
      return [name, text] as const
    }),
  )
  const start = new Map(helps).get('start') ?? ''
  for (const word of [
    '--fresh',
    '--replicas N',
    '--config',
    'DATA_DIR',
    'GATEWAY_PORT',
    'LOG_LEVEL',
    'NATS_URL',
    'REDIS_URL',
  ])
    assert.ok(start.includes(word), word)
})

test('unknown commands and options are refused', async () => {
  for (const args of [
    ['start', '--frehs'],
    ['strat'],
    [],
    ['start', 'now'],
    ['start', '--replicas', '0'],
    ['start', '--replicas', 'two'],
    ['restart', 'auth', 'blog'],
    ['restart', '--fresh'],
    ['restart', '--replicas', '2'],
    ['dev', '--replicas', '2'],
    ['start', '--no-types'],
    ['doctor', 'nats'],
    ['new', 'Shop'],
  ]) {
    const [wrong, output] = await run(args)
    assert.equal(wrong, 2)
    assert.match(output, /^tsmicro: .*\(see tsmicro --help\)\n$/)
  }
})

test('what is wrong with an option or a command that moved is said', () => {
  assert.throws(() => readArguments(['gateway', 'generate']), /is gone: use tsmicro generate$/)
  assert.throws(() => readArguments(['gateway', 'stop']), /unknown command "gateway stop"/)
  assert.throws(() => readArguments(['dev', '--replicas', '2']), /dev runs one instance of each service/)
  assert.deepEqual(readArguments(['gateway', 'run', '--port', '0']), { kind: 'gateway', args: ['--port', '0'] })
  assert.deepEqual(readArguments(['gateway', '-h']), { kind: 'gateway', args: ['--help'] })
})

test('an unusable configuration is reported in one clear line', async () => {
  using dir = tempDir()
  const env = { DATA_DIR: dir.path }
  const bad = fileURLToPath(new URL('./fixtures/bad/tsmicro.config.ts', import.meta.url))
  assert.match(
    (await run(['start', '--config', '/nowhere/x.ts'], env))[1],
    /^tsmicro: \S+ does not exist: run this in.*\n$/,
  )
  assert.match(
    (await run(['start', '--config', bad], env))[1],
    /^tsmicro: .*no default export created with defineSystem/,
  )
  for (const [name, value] of [
    ['GATEWAY_PORT', '80x'],
    ['LOG_LEVEL', 'loud'],
  ] as const) {
    const [code, output] = await run(['start', '--config', CONFIG], { ...env, [name]: value })
    assert.equal(code, 1)
    assert.match(output, new RegExp(`^tsmicro: ${name}=${value} is (not|invalid)`))
  }
})

test('defineSystem refuses invalid systems', () => {
  const entry = 'x.ts'
  assert.throws(() => defineSystem({ infra: [], services: { nats: { entry, port: 1 } } }), /cannot be the name/)
  assert.throws(() => defineSystem({ infra: [], services: { a: { entry, port: 0 } } }), /is not a port number/)
  const commands = { doctor: { entry, description: 'x' } }
  assert.throws(() => defineSystem({ infra: [], services: {}, commands }), /"doctor" cannot be the name of a command/)
  assert.throws(
    () => defineSystem({ infra: [], services: { a: { entry, port: 1 }, b: { entry, port: 1 } } }),
    /another service already has port 1/,
  )
  assert.throws(() => defineSystem({ infra: ['nats', 'nats'], services: {} }), /twice/)
  assert.throws(() => defineSystem({ infra: ['redis'], optionalInfra: ['redis'], services: {} }), /twice/)
})
