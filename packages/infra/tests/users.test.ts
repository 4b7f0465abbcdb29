import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAlive, locateNats, locatePostgres } from '../src/index.ts'
import { endHolder, fixture, startHolder } from './support/holder.ts'
import { tempDir } from './support/temp.ts'

const NOBODY = 65534
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--']

function whyNot(): string | false {
  if (process.getuid?.() !== 0)
    return 'only root can change the user; for an ordinary user, every other test covers this'
  try {
    execFileSync('setpriv', [...AS_NOBODY.slice(1), ...fixture('readable.ts')], { cwd: '/', stdio: 'pipe' })
    return false
  } catch {
    return 'another user cannot read this checkout, or there is no setpriv'
  }
}

const known = (name: string) => readFileSync('/etc/passwd', 'utf8').includes(`\n${name}:`)

const servers = (await locateNats()) !== undefined && (await locatePostgres()) !== undefined
const skip = servers ? whyNot() : 'no nats-server or postgres'

test('an ordinary user, in their own folders of mode 700', { skip }, async () => {
  using home = tempDir(NOBODY)
  const order = { nats: {}, postgres: {} }
  const env = { HOME: home.path, TMPDIR: home.path }
  const holder = await startHolder(order, { prefix: AS_NOBODY, env })
  assert.equal(await endHolder(holder, 'SIGTERM'), 0)
})

test('root without user namespaces: another user runs PostgreSQL and owns the data', { skip }, async () => {
  using home = tempDir()
  using tools = tempDir()
  for (const tool of ['setpriv', 'sh', 'cp'])
    symlinkSync(execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), join(tools.path, tool))
  const postgres = { dataDir: join(home.path, 'data') }
  const restricted = { PATH: tools.path, TMPDIR: home.path }
  const usual = { TMPDIR: home.path }
  // The last one: namespaces are possible again, but by now the data belongs to another user.
  for (const env of [usual, restricted, usual]) {
    const holder = await startHolder({ postgres }, { env })
    const pid = holder.servers.postgres?.pid ?? 0
    assert.ok(isAlive(pid))
    // Other programs without rights could end it.
    if (known('daemon')) assert.notEqual(statSync(`/proc/${pid}`).uid, NOBODY)
    assert.equal(await endHolder(holder, 'SIGTERM'), 0)
  }
})
