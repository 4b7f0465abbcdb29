// A contract, its handler, and a call with types.
import { createService, implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const hello = contract('hello', {
  greet: procedure({
    http: 'GET /greet/:name',
    access: 'open',
    input: Type.Object({ name: Type.String({ minLength: 2 }) }),
    output: Type.Object({ text: Type.String() }),
  }),
})

const greeting = implement(hello, { greet: ({ input }) => ({ text: `Hello, ${input.name}!` }) })

const log = createLogger({ name: 'hello', level: 'warn' })
const module = { handlers: [greeting] }
const service = createService({ name: 'hello', version: '1.0.0', module, log, http: { port: 0 } })
await service.start()

const client = createHttpClient(hello, { baseUrl: service.url })
console.log((await client.greet({ name: 'Ada' })).text)

const answer = await fetch(`${service.url}/greet/Grace`)
console.log(answer.status, await answer.text())
await service.stop()

// Prints:
// Hello, Ada!
// 200 {"code":"10000","status":200,"message":"Success","data":{"text":"Hello, Grace!"}}
