/*
 * Measures a body of 1 GB in each direction, by hand: node packages/gateway/tests/measure-streaming.ts [MB]
 * The gateway has its own process; client and upstream share one.
 */
import { childGateway } from './child-gateway.ts'
import { download, longBodies, upload } from './long-bodies.ts'
import { oneService } from './support.ts'

const MB = 1024 * 1024
const bytes = Number(process.argv[2] ?? 1024) * MB
await using service = await longBodies()
for (const [name, stream] of Object.entries({ up: upload, down: download })) {
  await using gateway = await childGateway(oneService(`http://${service.authority}`))
  await stream(gateway.port, 16 * MB)
  const before = await gateway.peak()
  const startedAt = performance.now()
  const arrived = await stream(gateway.port, bytes)
  const seconds = (performance.now() - startedAt) / 1000
  const { rss, external } = await gateway.peak()
  if (arrived !== bytes) throw new Error(`${arrived} of ${bytes} bytes arrived`)
  const grown = `RSS ${Math.round(before.rss / MB)} → ${Math.round(rss / MB)} MB, buffers up to ${Math.round(external / MB)} MB`
  process.stdout.write(`${name}: ${Math.round(bytes / MB / seconds)} MB/s (${seconds.toFixed(1)} s), ${grown}\n`)
}
