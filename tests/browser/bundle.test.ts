/** Browsers load little, and nothing from Node. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bundle } from '../support/browser/bundle.ts'

const KB = 1000
const CLIENT = "export { createHttpClient } from 'tsmicro/client'"
const CONTRACT = `
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
const errors = defineErrors({ NO_SUCH_BLOG: { status: 404, message: 'No such blog' } })
export const blogs = contract('blog', {
  find: procedure({
    http: 'GET /blogs/:id',
    access: 'key',
    input: Type.Object({ id: Type.Integer(), deep: Type.Optional(Type.Boolean()) }),
    output: Type.Object({ title: Type.String(), at: Type.String({ format: 'date-time' }) }),
    errors,
  }),
})`

test('the client alone is at most 8 kB and includes no compiler', async t => {
  const { gzipBytes, files, outside } = await bundle(CLIENT)
  t.diagnostic(`${gzipBytes} bytes`)
  assert.deepEqual(outside, [])
  assert.ok(gzipBytes <= 8 * KB, `${gzipBytes} bytes`)
  assert.deepEqual(
    files.filter(file => file.includes('node_modules')),
    [],
  )
})

test('with one contract and its checks it is at most 47 kB', async t => {
  const { gzipBytes, outside } = await bundle(`${CLIENT}\n${CONTRACT}`)
  t.diagnostic(`${gzipBytes} bytes`)
  assert.deepEqual(outside, [])
  assert.ok(gzipBytes <= 47 * KB, `${gzipBytes} bytes`)
})

test('the contracts of the platform, and everything that tsmicro/contract exports, load without Node', async () => {
  for (const entry of [
    '@blog-platform/auth-contract',
    '@blog-platform/blog-contract',
    'tsmicro/contract',
    'tsmicro/client',
  ]) {
    const { outside } = await bundle(`export * from '${entry}'`)
    assert.deepEqual(outside, [], entry)
  }
})

test('bundling code that needs Node for browsers fails', async () => {
  await assert.rejects(bundle("export { createService } from 'tsmicro'"), /Could not resolve "node:/)
})
