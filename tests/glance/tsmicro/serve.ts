import { createService, implement, type Module, NatsClient, runService } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

export const hello = contract('hello', {
  greet: procedure({
    http: 'GET /greet/:name',
    nats: 'greet',
    access: 'open',
    input: Type.Object({ name: Type.String({ minLength: 2 }) }),
    output: Type.Object({ text: Type.String() }),
  }),
})

const greeting = implement(hello, { greet: ({ input }) => ({ text: `Hello ${input.name}` }) })
export const createModule = ({ nats }: { nats: NatsClient }): Module => ({ nats, handlers: [greeting] })

const log = createLogger({ name: 'hello' })
const module = createModule({ nats: new NatsClient({ url: process.env.NATS_URL ?? 'localhost', name: 'hello', log }) })
const http = { port: Number(process.env.PORT ?? 3000) }
if (import.meta.main) await runService(createService({ name: 'hello', version: '1.0.0', module, log, http }), { log })
