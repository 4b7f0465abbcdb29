// CI alone: services/*/tests/process.test.ts shows that the services start, from their sources.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { freePort, startDocuments, startNats, startPostgres } from '@tsmicro/infra'
import { Program } from '../tests/support/program.ts'

test('the bundled services start, check passwords and tokens, and answer with the errors of their contracts', async () => {
  await using stack = new AsyncDisposableStack()
  await promisify(execFile)(process.execPath, ['tools/bundle.ts'])
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const nats = stack.use(await startNats({ ephemeral: true }))
  const postgres = stack.use(await startPostgres({ ephemeral: true }))
  const documents = stack.use(await startDocuments({ ephemeral: true }))
  const run = async (service: string, own: Readonly<Record<string, string>>) => {
    const port = String(await freePort())
    const env = { NATS_URL: nats.url, REQUEST_TIMEOUT_MS: '60000', PORT: port, ...own }
    const options = { entry: `services/${service}/dist/main.js`, url: `http://127.0.0.1:${port}`, env }
    return stack.use(await new Program(options).start()).url
  }
  const auth = await run('auth', { DATABASE_URL: postgres.url, KEYS_DIR: folder })
  const blog = await run('blog', { MONGODB_URL: documents.url, COVERS_DIR: folder })
  const post = async (url: string, body: object, token?: string) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, body: JSON.parse(await response.text()) }
  }
  const user = { email: 'ada@example.com', password: 'long enough to be one', name: 'Ada' }
  const { body } = await post(`${auth}/signup/basic`, user)
  const draft = { title: 'Title', description: 'Description', draftText: 'Text', slug: 'the-slug', tags: ['NATS'] }
  // Whoever signs up is a learner, who may not write.
  assert.equal((await post(`${blog}/author`, draft, body.data.tokens.accessToken)).status, 403)
  assert.equal(
    (await post(`${auth}/signin/basic`, { email: user.email, password: 'a wrong one' })).body.error,
    'CREDENTIALS_INVALID',
  )
})
