import type { ClientProxy } from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'
import type { Greet, Greeting } from './serve.ts'

export async function overHttp(baseUrl: string, { name }: Greet): Promise<Greeting> {
  const response = await fetch(`${baseUrl}/greet/${encodeURIComponent(name)}`)
  if (!response.ok) throw new Error(`greet: ${response.status}`)
  return (await response.json()) as Greeting
}

export function overNats(client: ClientProxy, input: Greet): Promise<Greeting> {
  return firstValueFrom(client.send<Greeting, Greet>('hello.greet', input))
}
