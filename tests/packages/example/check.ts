import { startNats } from '@tsmicro/infra'
import { createHttpClient } from 'tsmicro/client'
import { front } from './contracts.ts'
import { createFront, createWords } from './services.ts'

/** Both services at a real nats-server: a call over HTTP that needs one over NATS, and a refused one. */
export async function check(): Promise<string> {
  const nats = await startNats({ ephemeral: true })
  const services = [createWords(nats.url), createFront(nats.url)]
  try {
    for (const service of services) await service.start()
    const { hello } = createHttpClient(front, { baseUrl: services[1]?.url ?? '' })
    const { text } = await hello({ name: 'Ada' })
    const refusal = await hello({ name: 'A' }).catch((error: { code: string }) => error.code)
    return `${text} ${refusal}`
  } finally {
    for (const service of services) await service.stop()
    await nats.stop()
  }
}
