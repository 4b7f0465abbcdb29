import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { configOf, echo, gatewayFor, rawExchange, send, type TestServer, upstream } from './support.ts'

let service: TestServer
before(async () => {
  service = await upstream(echo)
})
after(() => service[Symbol.asyncDispose]())

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

function gatewayWith(config: object) {
  const url = `http://${service.authority}`
  return gatewayFor(configOf([{ name: 'api', url, routes: [{ paths: ['/'] }] }], [{ name: 'correlation-id', config }]))
}

function sentOn(json: Record<string, unknown>): Record<string, string> {
  return json.headers as Record<string, string>
}

test('by default: Kong-Request-ID as uuid#counter, for the service only', async () => {
  await using gateway = await gatewayWith({})
  const first = await send(gateway.port)
  const second = await send(gateway.port)
  const ids = [first, second].map(({ json }) => sentOn(json)['kong-request-id'])
  assert.match(String(ids[0]), new RegExp(`^${UUID}#1$`))
  assert.equal(ids[1], String(ids[0]).replace('#1', '#2'))
  assert.equal(first.headers['kong-request-id'], undefined)
})

test('uuid, echoed: the client gets the same id as the service', async () => {
  await using gateway = await gatewayWith({ generator: 'uuid', header_name: 'X-Request-ID', echo_downstream: true })
  const seen = new Set<string>()
  for (let i = 0; i < 3; i++) {
    const { json, headers, rawHeaders } = await send(gateway.port)
    const id = String(headers['x-request-id'])
    assert.match(id, new RegExp(`^${UUID}$`))
    assert.equal(sentOn(json)['x-request-id'], id)
    assert.ok(rawHeaders.includes('X-Request-ID'))
    seen.add(id)
  }
  assert.equal(seen.size, 3)
})

test('tracker: address, port, process, connection, its requests, seconds', async () => {
  await using gateway = await gatewayWith({ generator: 'tracker', echo_downstream: true })
  const request = (last: string) => `GET / HTTP/1.1\r\nHost: a\r\nConnection: ${last}\r\n\r\n`
  const text = await rawExchange(gateway.port, request('keep-alive') + request('close'))
  const ids = [...text.matchAll(/\r\nKong-Request-ID: (.+)\r\n/g)].map(([, id]) => String(id))
  const place = `127\\.0\\.0\\.1-${gateway.port}-${process.pid}`
  assert.match(String(ids[0]), new RegExp(`^${place}-1-1-\\d{10}\\.\\d{3}$`))
  assert.match(String(ids[1]), new RegExp(`^${place}-1-2-\\d{10}\\.\\d{3}$`))
  assert.match(String((await send(gateway.port)).headers['kong-request-id']), new RegExp(`^${place}-2-1-`))
})

test('an id from the client is kept, and echoed; an empty one is replaced', async () => {
  await using gateway = await gatewayWith({ echo_downstream: true })
  const own = await send(gateway.port, { headers: { 'Kong-Request-ID': 'mine' } })
  assert.equal(sentOn(own.json)['kong-request-id'], 'mine')
  assert.equal(own.headers['kong-request-id'], 'mine')
  const empty = await send(gateway.port, { headers: { 'Kong-Request-ID': '' } })
  assert.match(String(sentOn(empty.json)['kong-request-id']), new RegExp(`^${UUID}#\\d+$`))
  assert.equal(empty.headers['kong-request-id'], sentOn(empty.json)['kong-request-id'])
})

test('it replaces the same field in the answer of the service', async () => {
  await using other = await upstream((_req, res) => res.setHeader('kong-request-id', 'theirs').end())
  const config = { echo_downstream: true }
  await using gateway = await gatewayFor(
    configOf([
      {
        name: 'api',
        url: `http://${other.authority}`,
        routes: [{ paths: ['/'] }],
        plugins: [{ name: 'correlation-id', config }],
      },
    ]),
  )
  const { headers } = await send(gateway.port)
  assert.match(String(headers['kong-request-id']), new RegExp(`^${UUID}#1$`))
})
