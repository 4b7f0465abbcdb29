/** A whole service with one procedure. It listens on PORT. */
import { createService, implement, runService } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const greetings = contract('hello', {
  greet: procedure({
    http: 'GET /greet/:name',
    access: 'open',
    input: Type.Object({ name: Type.String({ maxLength: 40 }) }),
    output: Type.Object({ text: Type.String() }),
  }),
})
const log = createLogger({ name: 'hello', level: 'info' })
const handlers = implement(greetings, { greet: ({ input }) => ({ text: `Hello ${input.name}` }) })
const http = { port: Number(process.env.PORT) }
const service = createService({ name: 'hello', version: '1.0.0', log, http, module: { handlers: [handlers] } })
await runService(service, { log })
