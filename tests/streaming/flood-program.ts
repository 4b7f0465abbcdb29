/** A program: the service of the contract `flood`. It answers without an end, and reads files slowly if it shall. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createService, implement, NatsClient, runService } from 'tsmicro'
import { createLogger } from 'tsmicro/telemetry'
import { CHUNK, flood } from './flood.ts'

const { PORT, NATS_URL = '', FOLDER = '' } = process.env
const TEXT = 'x'.repeat(8 * 1024)

async function read(sent: Blob, slow: boolean): Promise<{ bytes: number }> {
  let bytes = 0
  for await (const chunk of sent.stream()) {
    bytes += chunk.length
    if (slow) await sleep(1)
  }
  return { bytes }
}

const handlers = implement(flood, {
  async *follow() {
    for (let number = 1; ; number++) yield { number, text: TEXT }
  },
  async *download() {
    for (;;) yield CHUNK
  },
  raw: ({ input }) => read(input.file, input.slow),
  form: ({ input }) => read(input.film, input.slow),
})
const log = createLogger({ name: 'flood', level: 'warn' })
const service = createService({
  name: 'flood',
  version: '1.0.0',
  log,
  http: { port: Number(PORT), temporaryFolder: FOLDER },
  module: { handlers: [handlers], nats: new NatsClient({ url: NATS_URL, name: 'flood', log }) },
})
await runService(service, { log })
