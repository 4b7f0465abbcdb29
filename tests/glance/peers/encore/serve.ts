import { api } from 'encore.dev/api'
import { Service } from 'encore.dev/service'
import type { MinLen } from 'encore.dev/validate'

export default new Service('hello')

interface Greet {
  name: string & MinLen<2>
}

interface Greeting {
  text: string
}

export const greet = api(
  { method: 'GET', path: '/greet/:name', expose: true },
  async ({ name }: Greet): Promise<Greeting> => ({ text: `Hello ${name}` }),
)
