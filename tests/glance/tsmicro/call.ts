import type { NatsClient } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { hello } from './serve.ts'

export const overHttp = (baseUrl: string, name: string) => createHttpClient(hello, { baseUrl }).greet({ name })

export const overNats = (nats: NatsClient, name: string) => nats.client(hello).greet({ name })
