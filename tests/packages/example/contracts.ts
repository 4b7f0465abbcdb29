import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'

const output = Type.Object({ text: Type.String() })
const input = Type.Object({ name: Type.String({ minLength: 2 }) })

export const words = contract('words', {
  greet: procedure({ nats: 'greet', access: 'internal', input, output }),
})

export const front = contract('front', {
  hello: procedure({ http: 'GET /hello/:name', access: 'open', input, output }),
})
