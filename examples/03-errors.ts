// Declared errors are classes at both ends; input that does not match its schema never reaches a handler.
import { createService, implement, VALIDATION_FAILED } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const { SOLD_OUT } = defineErrors({
  SOLD_OUT: { status: 409, message: 'Too few are left', data: Type.Object({ left: Type.Integer() }) },
})

const tickets = contract('tickets', {
  buy: procedure({
    http: 'POST /tickets',
    access: 'open',
    input: Type.Object({ count: Type.Integer({ minimum: 1 }) }),
    output: Type.Object({ left: Type.Integer() }),
    errors: { SOLD_OUT },
  }),
})

let left = 10
const selling = implement(tickets, {
  buy({ input: { count }, errors }) {
    if (count > left) throw new errors.SOLD_OUT({ left })
    left -= count
    return { left }
  },
})

const log = createLogger({ name: 'tickets', level: 'silent' })
const module = { handlers: [selling] }
const service = createService({ name: 'tickets', version: '1.0.0', module, log, http: { port: 0 } })
await service.start()
const client = createHttpClient(tickets, { baseUrl: service.url })

console.log(await client.buy({ count: 7 }))
for (const count of [7, 0]) {
  try {
    await client.buy({ count })
  } catch (error) {
    if (error instanceof SOLD_OUT) console.log('Only', error.data.left, 'left')
    else if (error instanceof VALIDATION_FAILED) console.log(error.data)
    else throw error
  }
}
await service.stop()

// Prints:
// { left: 3 }
// Only 3 left
// [ { path: 'count', message: 'must be >= 1' } ]
