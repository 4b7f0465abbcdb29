import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Supervisor, tempDir, until } from './support/supervisor.ts'

const REPLICAS = fileURLToPath(new URL('./fixtures/replicas/tsmicro.config.ts', import.meta.url))

function start(dataDir: string, replicas = 2, env: NodeJS.ProcessEnv = {}): Supervisor {
  const args = ['start', '--config', REPLICAS, '--replicas', String(replicas)]
  return new Supervisor(args, { DATA_DIR: dataDir, LOG_LEVEL: 'warn', ...env })
}

/** Runs `tsmicro restart …` to its end. */
async function restart(dataDir: string, ...args: string[]): Promise<[code: number | null, output: string]> {
  await using command = new Supervisor(['restart', ...args], { DATA_DIR: dataDir })
  return [await command.ended(), command.output]
}

async function pidsBehind(gateway: string, path: string, count: number): Promise<Set<number>> {
  const pids = new Set<number>()
  await until(`${count} instances answer at ${path}`, async () => {
    const answer = await fetch(`${gateway}${path}`)
    assert.equal(answer.status, 200)
    pids.add(((await answer.json()) as { pid: number }).pid)
    return pids.size >= count
  })
  return pids
}

test('two instances of each service are listed, balanced, restarted after a crash, and replaced one by one', async () => {
  using dir = tempDir()
  const data = join(dir.path, 'data')
  await using system = start(data)
  const gateway = await system.address('gateway')
  const addresses = await Promise.all(['auth-1', 'auth-2', 'blog-1', 'blog-2'].map(name => system.address(name)))
  assert.equal(new Set(addresses).size, 4)
  const before = await pidsBehind(gateway, '/auth', 2)

  await fetch(`${addresses[1]}/crash`).catch(() => {})
  await system.says(/auth-2 crashed \(exit code 7\), restarting/)
  assert.equal((await fetch(`${gateway}/auth`)).status, 200)
  await system.says(/auth-2 is up again/)
  await until('it is in the load balancing again', async () => (await pidsBehind(gateway, '/auth', 2)).size === 2)

  const life = () => readFileSync(join(data, 'life'), 'utf8').trim().split('\n')
  const begun = life().length
  const [code, output] = await restart(data, 'auth')
  assert.equal(code, 0, output)
  assert.match(
    output,
    /^auth-1 finishes its requests\nauth-1 is replaced\nauth-2 finishes its requests\nauth-2 is replaced\n$/,
  )
  const [one, two] = addresses.map(url => `auth:${new URL(url).port}`)
  assert.deepEqual(life().slice(begun), [`-${one}`, `+${one}`, `-${two}`, `+${two}`])
  const after = await pidsBehind(gateway, '/auth', 2)
  assert.ok(![...after].some(pid => before.has(pid)))
  assert.ok(!system.output.includes('auth-1 crashed'))

  assert.deepEqual(await restart(data, 'blog-2'), [0, 'blog-2 finishes its requests\nblog-2 is replaced\n'])
  const unknown = await restart(data, 'bolg')
  assert.deepEqual(unknown, [
    1,
    'tsmicro: there is no service "bolg", only auth, auth-1, auth-2, blog, blog-1, blog-2\n',
  ])

  // Whoever cannot read the file cannot give commands.
  const file = join(data, 'control.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const { url } = JSON.parse(readFileSync(file, 'utf8')) as { url: string }
  assert.equal((await fetch(`${url}/restart`, { method: 'POST' })).status, 403)
  system.signal('SIGTERM')
  assert.equal(await system.ended(), 0)
  assert.ok(!existsSync(file))
})

test('nothing is replaced while the other instances are not healthy', async () => {
  using dir = tempDir()
  await using system = start(dir.path, 2, { READY_TIMEOUT_MS: '10000' })
  const gateway = await system.address('gateway')
  writeFileSync(join(dir.path, 'life-blog-broken'), '')
  await system.says(/target is unhealthy.*blog-1/)
  const [code, output] = await restart(dir.path, 'blog')
  assert.equal(code, 1)
  assert.match(output, /^tsmicro: blog-2:18012 is not healthy: blog-1:18012 is not replaced\n$/)
  assert.equal((await fetch(`${gateway}/auth`)).status, 200)
})

test('replicas without load balancing, more replicas than targets, and a restart of nothing are refused in one line', async () => {
  using dir = tempDir()
  const data = (name: string) => join(dir.path, name)
  {
    await using system = start(data('a'), 2, { UNBALANCED: '1' })
    assert.equal(await system.ended(), 1)
    assert.match(system.output, /tsmicro: --replicas needs gateway\.loadBalancedConfig in tsmicro\.config\.ts/)
  }
  {
    await using system = start(data('b'), 3)
    assert.equal(await system.ended(), 1)
    assert.match(system.output, /tsmicro: \S+ has no target auth-3:18011, blog-3:18012: add it to the upstreams/)
  }
  const nobody = (name: string) => [
    1,
    `tsmicro: nothing runs on ${data(name)}: start it first, or name its folder with DATA_DIR\n`,
  ]
  assert.deepEqual(await restart(data('none')), nobody('none'))
  // A file that a killed supervisor has left.
  writeFileSync(join(dir.path, 'control.json'), '{"url":"http://127.0.0.1:1","token":"x"}')
  const [code] = await restart(dir.path)
  assert.equal(code, 1)
})

test('a single instance is replaced as well, with a warning', async () => {
  using dir = tempDir()
  await using system = new Supervisor(['start', '--config', REPLICAS], { DATA_DIR: dir.path, LOG_LEVEL: 'warn' })
  await system.says(/Ctrl-C stops everything/)
  assert.deepEqual(await restart(dir.path, 'auth'), [
    0,
    'auth is the only instance: requests to it fail until it is back\nauth finishes its requests\nauth is replaced\n',
  ])
})
