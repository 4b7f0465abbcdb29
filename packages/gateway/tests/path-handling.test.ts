import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Gateway } from '../src/index.ts'
import { configOf, echo, gatewayFor, send, type TestServer, upstream } from './support.ts'

interface Case {
  readonly service_path: string
  readonly route_path: string | null
  readonly strip_path: boolean
  readonly request_path: string
  readonly expected_path: string
}

const cases = JSON.parse(readFileSync(new URL('data/kong-path-handling-v0.json', import.meta.url), 'utf8')) as Case[]

describe('path_handling v0, as measured on Kong 3.9.1', () => {
  let service: TestServer
  let gateway: Gateway

  before(async () => {
    service = await upstream(echo)
    gateway = await gatewayFor(
      configOf(
        cases.map((one, index) => ({
          name: `case-${index}`,
          url: `http://${service.authority}${one.service_path}`,
          routes: [
            {
              hosts: [`case-${index}.test`],
              strip_path: one.strip_path,
              ...(one.route_path !== null && { paths: [one.route_path] }),
            },
          ],
        })),
      ),
    )
  })
  after(async () => {
    await gateway.close()
    await service[Symbol.asyncDispose]()
  })

  test('there are 106 cases', () => assert.equal(cases.length, 106))

  for (const [index, one] of cases.entries()) {
    const strip = one.strip_path ? 'strip' : 'keep'
    test(`${one.request_path} on route ${one.route_path}, ${strip}, service ${one.service_path}`, async () => {
      const { json } = await send(gateway.port, { path: one.request_path, headers: { host: `case-${index}.test` } })
      assert.equal(json.path, one.expected_path)
      const { json: queried } = await send(gateway.port, {
        path: `${one.request_path}?a=/b/../c&d=%2e`,
        headers: { host: `case-${index}.test` },
      })
      assert.equal(queried.path, `${one.expected_path}?a=/b/../c&d=%2e`)
    })
  }
})
