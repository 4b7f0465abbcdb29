// CI alone: it installs, checks and starts a copy of the repository. By hand, packages/cli/tests/add.test.ts shows what is written.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { cp, mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { freshCheckout } from '../documentation/checkout.ts'
import { outside } from '../packages/registry.ts'
import { until } from '../support/until.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const WRITTEN = join(import.meta.dirname, 'comments')
const FLAGS = ['--disable-warning=ExperimentalWarning']
const BLOG_ID = '0123456789abcdef01234567'

/** Made by a generator, of what a new service changes. */
const GENERATED = [
  'deploy/docker-compose-load-balanced.yml',
  'deploy/docker-compose.yml',
  'deploy/nats/nats.conf',
  'deploy/nats/permissions.json',
  'deploy/nats/streams.json',
  'deploy/secrets.json',
  'docs/http-api.md',
  'kong/kong-load-balanced.yml',
  'kong/kong.yml',
]

const run = (cwd: string, program: string, ...args: readonly string[]) =>
  promisify(execFile)(program, args, {
    cwd,
    maxBuffer: 2 ** 26,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  }).then(
    ({ stdout }) => stdout,
    (error: { message: string; stdout: string; stderr: string }) =>
      assert.fail(`${program} ${args.join(' ')}: ${error.message}\n${error.stdout}\n${error.stderr}`),
  )

/** What is in this working tree, as the only commit of a repository of its own. */
async function copyOfRepository(t: TestContext): Promise<string> {
  const checkout = await freshCheckout()
  t.after(() => checkout[Symbol.asyncDispose]())
  const copy = checkout.directory
  // Not linked, as npm writes into it.
  await rm(join(copy, 'node_modules'), { recursive: true, force: true })
  await run(ROOT, 'cp', '-a', 'node_modules', copy)
  await run(copy, 'git', 'init', '--quiet')
  await run(copy, 'git', 'add', '--all')
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
  await run(copy, 'git', ...author, 'commit', '--quiet', '--no-verify', '--message', 'As it is')
  return copy
}

test('a new service touches no file but the definition, the lockfile and what a generator writes', {
  skip: await outside(),
}, async t => {
  const copy = await copyOfRepository(t)
  const node = (...args: readonly string[]) => run(copy, process.execPath, ...FLAGS, ...args)
  const tsmicro = (...args: readonly string[]) => node('packages/cli/src/main.ts', ...args)
  await tsmicro('add', 'service', 'comments', '--postgres')
  await tsmicro('add', 'procedure', 'comments/mark')
  await tsmicro('add', 'event', 'comments/marked', '--subject', 'comment.marked')
  await node('--test', 'services/comments/tests/*.test.ts')

  await t.test('what was written passes all checks', async () => void (await node('tools/check.ts')))

  await t.test('a person replaces it by the service that is wanted: more files, none of them of others', async () => {
    for (const path of [
      'contracts/comments/src',
      'contracts/comments/recorded.json',
      'services/comments/src/api',
      'services/comments/migrations',
      'services/comments/tests',
    ])
      await rm(join(copy, path), { recursive: true })
    for (const path of globSync('**/*.txt', { cwd: WRITTEN })) {
      await mkdir(dirname(join(copy, path)), { recursive: true })
      await cp(join(WRITTEN, path), join(copy, path.replace(/\.txt$/, '')))
    }
    await run(copy, 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error')
    await run(copy, 'npm', 'run', 'lockfile')
    await tsmicro('generate')
    assert.match(await tsmicro('generate', '--check'), /are in step/)

    const status = await run(copy, 'git', 'status', '--porcelain', '--untracked-files=all')
    const changes = status
      .trimEnd()
      .split('\n')
      .map(line => ({ what: line.slice(0, 2).trim(), path: line.slice(3) }))
    const added = changes.filter(({ what }) => what === '??')
    assert.deepEqual(
      added.filter(({ path }) => !/^(contracts|services)\/comments\//.test(path)),
      [],
    )
    const changed = changes.filter(({ what }) => what !== '??')
    assert.deepEqual(
      changed.map(({ what, path }) => `${what} ${path}`).sort(),
      [...GENERATED, 'package-lock.json', 'tsmicro.config.ts'].map(path => `M ${path}`).sort(),
    )
  })

  await t.test('it passes all checks, its own tests, and those of the files that were generated', async () => {
    await node('tools/check.ts')
    const generated = ['tools/compose/compose.test.ts', 'tools/nats-config.test.ts', 'tools/http-api.test.ts']
    await node('--test', 'services/comments/tests/*.test.ts', 'tools/dockerfiles.test.ts', ...generated)
    const permissions = JSON.parse(await readFile(join(copy, 'deploy/nats/permissions.json'), 'utf8')) as {
      readonly user: string
      readonly publish: readonly string[]
    }[]
    const own = permissions.find(({ user }) => user === 'comments')?.publish ?? []
    for (const subject of ['blog.find.public', 'comment.posted', '$JS.API.CONSUMER.CREATE.EVENTS_blog.comments_blogs'])
      assert.ok(own.includes(subject), subject)
    assert.ok(!own.some(subject => /^(blog\.published|user\.|auth\.)/.test(subject)), own.join())
  })

  await t.test(
    'it runs in the platform: through the gateway, on its own database, asking the blog service',
    async () => {
      const env = { ...process.env, NODE_TEST_CONTEXT: undefined, DATA_DIR: join(copy, '.data'), GATEWAY_PORT: '0' }
      const args = [...FLAGS, 'packages/cli/src/main.ts', 'start']
      const system = spawn(process.execPath, args, {
        cwd: copy,
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = once(system, 'exit')
      const lines: string[] = []
      createInterface({ input: system.stdout }).on('line', line => lines.push(line))
      try {
        const sample = () => /x-api-key: (\S+)' (http:\/\/\S+?)\/blog\//.exec(lines.join('\n'))
        await until('the platform to be ready', () => sample() !== null || system.exitCode !== null)
        const [, key = '', address = ''] = sample() ?? assert.fail(lines.join('\n'))
        const ask = async (path: string, body?: object) => {
          const headers = { 'x-api-key': key, 'content-type': 'application/json' }
          const sent = body ? { method: 'POST', body: JSON.stringify(body) } : {}
          const response = await fetch(`${address}/comments${path}`, { headers, ...sent })
          const { error, data } = (await response.json()) as { error?: string; data?: unknown }
          return [response.status, error ?? data]
        }
        assert.deepEqual(await ask(`/blog/${BLOG_ID}`), [200, []])
        assert.deepEqual(await ask(`/blog/${BLOG_ID}`, { text: '' }), [400, 'VALIDATION_FAILED'])
        // Said by the blog service, which was asked over NATS.
        assert.deepEqual(await ask(`/blog/${BLOG_ID}`, { text: 'Hello' }), [404, 'BLOG_NOT_FOUND'])
        assert.equal((await fetch(`${address}/comments/blog/${BLOG_ID}`)).status, 401)
      } finally {
        // As a terminal does: to all of the group.
        process.kill(-(system.pid ?? 0), 'SIGINT')
        await ended
      }
    },
  )
})
