// A service calls another one: it imports the contract, never the code behind it.
import { startNats } from '@tsmicro/infra'
import { createService, implement, type Module, NatsClient } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const item = Type.Object({ item: Type.String() })
const prices = contract('prices', {
  priceOf: procedure({ nats: 'of', access: 'internal', input: item, output: Type.Object({ cents: Type.Integer() }) }),
})
const shop = contract('shop', {
  offer: procedure({ http: 'GET /offers/:item', access: 'open', input: item, output: Type.String() }),
})

const createPrices = (nats: NatsClient): Module => ({
  nats,
  handlers: [implement(prices, { priceOf: ({ input }) => ({ cents: input.item.length * 100 }) })],
})

const createShop = (nats: NatsClient): Module => ({
  nats,
  // What a service calls is declared: its NATS user may call nothing else.
  calls: [prices],
  handlers: [
    implement(shop, {
      async offer({ input, signal }) {
        const { cents } = await nats.client(prices).priceOf(input, { signal })
        return `${input.item} for ${(cents / 100).toFixed(2)}`
      },
    }),
  ],
})

const server = await startNats({ ephemeral: true, url: process.env.NATS_URL })
const log = createLogger({ name: 'calls', level: 'warn' })
const services = [
  { name: 'prices', createModule: createPrices },
  { name: 'shop', createModule: createShop, http: { port: 0 } },
].map(({ name, createModule, ...more }) => {
  const module = createModule(new NatsClient({ url: server.url, name, log }))
  return createService({ name, version: '1.0.0', module, log, ...more })
})
for (const service of services) await service.start()

console.log(await createHttpClient(shop, { baseUrl: services[1]?.url ?? '' }).offer({ item: 'soap' }))

for (const service of services) await service.stop()
await server.stop()

// Prints:
// soap for 4.00
