import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import type { KongRoute } from '../src/index.ts'
import { configOf, echo, gatewayFor, send, type TestServer, upstream } from './support.ts'

type Recorded = [
  method: string,
  path: string,
  host: string,
  headers: Record<string, string>,
  status: number,
  route: string | null,
  upstreamUrl: string | null,
]

interface RecordedSet {
  /** `service`: the path of the route's own service. */
  readonly routes: readonly (KongRoute & { readonly name: string; readonly service: string })[]
  readonly requests: readonly Recorded[]
}

const SETS = JSON.parse(
  await readFile(new URL('data/kong-routing-3.9.1.json', import.meta.url), 'utf8'),
) as readonly RecordedSet[]

let service: TestServer
before(async () => {
  service = await upstream(echo)
})
after(() => service[Symbol.asyncDispose]())

for (const [index, { routes, requests }] of SETS.entries()) {
  test(`${requests.length} requests to ${routes.length} routes, as a real Kong 3.9.1 answered them: set ${index + 1}`, async () => {
    const config = configOf(
      routes.map(({ service: path, ...route }) => ({
        name: route.name,
        url: `http://${route.name}${path}`,
        routes: [route],
      })),
    )
    const resolve = Object.fromEntries(routes.map(({ name }) => [`${name}:80`, service.authority]))
    await using gateway = await gatewayFor(config, { resolve })
    const different: string[] = []
    for (const [method, path, host, headers, status, route, url] of requests) {
      const answer = await send(gateway.port, { method, path, headers: { ...headers, host } })
      const { headers: sent, path: reached } = answer.json as { headers?: { host?: string }; path?: string }
      const got = [answer.status, sent?.host ?? null, reached ?? null]
      if (JSON.stringify(got) !== JSON.stringify([status, route, url]))
        different.push(JSON.stringify({ method, path, host, headers, kong: [status, route, url], here: got }))
    }
    assert.deepEqual(different, [])
  })
}
