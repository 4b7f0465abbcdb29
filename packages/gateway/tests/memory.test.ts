import assert from 'node:assert/strict'
import { test } from 'node:test'
import { childGateway } from './child-gateway.ts'
import { download, longBodies, upload } from './long-bodies.ts'
import { oneService } from './support.ts'

const MB = 1024 * 1024
/** Far more than either limit. In CI it is a whole gigabyte, which would take too long by hand. */
const BODY = (process.env.CI ? 1024 : 256) * MB
const MOST = 128 * MB

for (const [direction, stream] of Object.entries({ up: upload, down: download })) {
  test(`${BODY / MB} MB ${direction}: every byte arrives, and the gateway's memory stays flat`, async () => {
    await using service = await longBodies()
    await using gateway = await childGateway(oneService(`http://${service.authority}`))
    assert.equal(await stream(gateway.port, 16 * MB), 16 * MB)
    const before = await gateway.peak()
    assert.equal(await stream(gateway.port, BODY), BODY)
    const { rss, external } = await gateway.peak()
    assert.ok(rss - before.rss < MOST, `RSS went from ${before.rss / MB} to ${rss / MB} MB`)
    assert.ok(external < MOST, `buffers of up to ${external / MB} MB`)
  })
}
