// A procedure that answers items one by one. The next one is made when the reader can take it.
import { createService, implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure, stream } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const primes = contract('primes', {
  from: procedure({
    http: 'GET /primes',
    access: 'open',
    input: Type.Object({ from: Type.Integer({ minimum: 2 }) }),
    output: stream(Type.Object({ prime: Type.Integer() }), { id: 'prime' }),
  }),
})

const handlers = implement(primes, {
  async *from({ input }) {
    try {
      for (let number = input.from; ; number++) if (isPrime(number)) yield { prime: number }
    } finally {
      console.log('the reader has left')
    }
  },
})

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}

const log = createLogger({ name: 'primes', level: 'warn' })
const module = { handlers: [handlers] }
const service = createService({ name: 'primes', version: '1.0.0', module, log, http: { port: 0 } })
await service.start()

const found: number[] = []
for await (const { prime } of createHttpClient(primes, { baseUrl: service.url }).from({ from: 10 }))
  if (found.push(prime) === 4) break
console.log(found)
await service.stop()

// Prints, the last two in either order:
// [ 11, 13, 17, 19 ]
// the reader has left
