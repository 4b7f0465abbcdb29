import assert from 'node:assert/strict'
import { type Answer, send } from './send.ts'

/** The readiness of a service, for those who route requests: 200 or 503, nothing else. */
export async function readyOf(serviceUrl: string): Promise<boolean> {
  const { status, body } = await send(serviceUrl, 'GET /health/ready')
  assert.ok(status === 200 || status === 503, `${status}`)
  assert.equal(body?.ready, status === 200)
  return status === 200
}

/** The names of the dependencies that a service's health reports as down. */
export function downOf({ dependencies }: Answer['data']): readonly string[] {
  return Object.entries({ ...(dependencies as Record<string, { readonly status: string }>) }).flatMap(
    ([name, { status }]) => (status === 'down' ? [name] : []),
  )
}
