import { hc, parseResponse } from 'hono/client'
import type { app } from './serve.ts'

export function overHttp(baseUrl: string, param: { name: string }) {
  return parseResponse(hc<typeof app>(baseUrl).greet[':name'].$get({ param }))
}
