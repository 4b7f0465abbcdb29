import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/fetch'
import type { JsonifiedClient } from '@orpc/openapi-client'
import { OpenAPILink } from '@orpc/openapi-client/fetch'
import type { RouterClient } from '@orpc/server'
import { router } from './serve.ts'

export function overHttp(baseUrl: string, input: { name: string }) {
  const link = new OpenAPILink(router, { url: baseUrl })
  const client = createORPCClient<JsonifiedClient<RouterClient<typeof router>>>(link)
  return client.greet(input)
}

export function overRpc(baseUrl: string, input: { name: string }) {
  const client = createORPCClient<RouterClient<typeof router>>(new RPCLink({ url: `${baseUrl}/rpc` }))
  return client.greet(input)
}
