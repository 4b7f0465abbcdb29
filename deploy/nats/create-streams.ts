/**
 * Creates the streams of all services, which `npx tsmicro generate` writes to `streams.json`, or adds subjects to them. The services may not
 * do that themselves: who configures a stream can read all others. Run it before new versions of the services, and when the server has lost
 * its data; it can be repeated.
 *
 *   NATS_URL=nats://streams:…@localhost:4222 npx tsmicro streams
 *
 * The URL may also be in a file, which NATS_URL_FILE names.
 */
import { createStreams, NatsClient, type Service } from 'tsmicro'
import { loadConfig, secret } from 'tsmicro/config'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'
import streams from './streams.json' with { type: 'json' }

const Env = Type.Object({
  NATS_URL: secret(Type.String({ description: 'The URL of NATS, with a user who may create streams' })),
})

export async function createAllStreams(url: string): Promise<void> {
  const log = createLogger({ name: 'streams', level: 'warn' })
  const nats = new NatsClient({ url, name: 'streams', log })
  try {
    await nats.connect()
    await createStreams(nats, streams as Service['streams'], log)
  } finally {
    await nats.close()
  }
}

if (import.meta.main) {
  try {
    await createAllStreams(loadConfig(Env, process.env).NATS_URL)
    console.log(`streams: ${streams.map(({ name }) => name).join(', ')}`)
  } catch (error) {
    console.error(`streams: ${rootMessage(error)}`)
    process.exitCode = 1
  }
}

function rootMessage(error: unknown): string {
  return error instanceof Error && error.cause && error.name === 'SERVICE_UNAVAILABLE'
    ? rootMessage(error.cause)
    : String((error as Error).message)
}
