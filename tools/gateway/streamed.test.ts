import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, file, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { until } from '../../tests/support/until.ts'
import { behindGateway } from './behind.ts'

const KONG = `_format_version: "3.0"
_ignore: [&read { name: correlation-id }, &write { name: correlation-id }]
services:
  - name: shop-service
    url: http://shop:80
  - name: shop-service-streamed
    url: http://shop:80
`

test('a slow stream without an end arrives item by item; when its reader leaves, the handler is told', async () => {
  const shop = contract('shop', {
    follow: procedure({ http: 'GET /follow', access: 'open', output: stream(Type.Integer()) }),
  })
  let asked = Promise.withResolvers<void>()
  let told: AbortSignal | undefined
  async function* follow({ signal }: { readonly signal: AbortSignal }) {
    told = signal
    for (let n = 0; !signal.aborted; n++) {
      await asked.promise
      asked = Promise.withResolvers()
      yield n
    }
  }
  await using system = await behindGateway(KONG, shop, [implement(shop, { follow })])
  asked.resolve()
  for await (const n of createHttpClient(shop, system).follow()) {
    if (n === 5) break
    // The next item does not exist until this one has arrived.
    asked.resolve()
  }
  await until('the handler to be told', () => told?.aborted === true)
  asked.resolve()
})

test('a body of files within its limit passes, a longer one does not reach the service', async () => {
  const shop = contract('shop', {
    take: procedure({
      http: 'POST /take',
      access: 'open',
      input: file('application/octet-stream', { maxBytes: 1024 * 1024 }),
      output: Type.Integer(),
    }),
  })
  let taken = 0
  const take = ({ input }: { input: { file: File } }) => {
    taken += 1
    return input.file.size
  }
  await using system = await behindGateway(KONG, shop, [implement(shop, { take })])
  const bytes = (size: number) => new Blob([new Uint8Array(size)], { type: 'application/octet-stream' })
  const client = createHttpClient(shop, system)
  assert.equal(await client.take({ file: bytes(1024 * 1024) }), 1024 * 1024)
  // The client itself would refuse it.
  const { status } = await fetch(`${system.baseUrl}/take`, { method: 'POST', body: bytes(1024 * 1024 + 1) })
  assert.deepEqual([status, taken], [413, 1])
})
