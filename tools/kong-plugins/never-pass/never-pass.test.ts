import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { bytesOf, CASES, type Case } from './cases.ts'
import { assertConsumer, assertGatewayHeaders, assertRefusal, isFree } from './check.ts'
import { type Driver, type DriverName, driverNames, skipOf, startDriver } from './drivers.ts'
import { startUpstream, type Upstream } from './upstream.ts'
import { ANSWERS, type Answers, outcomeOf, startVerifier, type Verifier } from './verifier.ts'
import { exchange, outcome, readAll } from './wire.ts'

const resources = new AsyncDisposableStack()
let upstream: Upstream
let verifier: Verifier
const drivers = new Map<DriverName, Driver>()
before(async () => {
  upstream = resources.use(await startUpstream())
  verifier = resources.use(await startVerifier())
  const options = { upstream: upstream.authority, verifier: verifier.authority }
  for (const name of driverNames) {
    if (skipOf(name) === false) drivers.set(name, resources.use(await startDriver(name, options)))
  }
})
after(() => resources.disposeAsync())

const outcomes = new Map<string, Partial<Record<DriverName, string>>>()
let ids = 0

/** Sends a request with a new key, records the outcome, and checks what the upstream saw. */
async function play(name: DriverName, { what, send }: Omit<Case, 'expect'>, answers: Answers = 'yes'): Promise<string> {
  ids += 1
  const id = `${name}-${ids}`
  const key = `${answers}.${id}`
  const answer = await exchange(drivers.get(name)?.port ?? 0, bytesOf(send(key), id))
  const seen = upstream.seen.get(id)
  if (seen === undefined) assertRefusal(answer, what)
  else assertGatewayHeaders(seen, what)
  const free = seen === undefined || isFree(seen.url)
  if (seen !== undefined) assertConsumer(seen, free ? undefined : key, what)
  assert.ok(free || verifier.good.has(key), `${what} reached ${seen?.url}`)
  const came = seen === undefined ? outcome(answer) : answer.status === 200 ? 'passes' : `reaches, ${answer.status}`
  outcomes.set(what, { ...outcomes.get(what), [name]: came })
  return came
}

for (const name of driverNames) {
  const skip = skipOf(name)

  test(`${name}: a request without a valid key is refused, one with a valid key arrives with the gateway's own headers`, {
    skip,
  }, async () => {
    for (const one of CASES) {
      const expected = typeof one.expect === 'string' ? one.expect : one.expect[name]
      assert.equal(await play(name, one), expected, one.what)
    }
  })

  test(`${name}: no request passes unless the verifier says yes`, { skip }, async () => {
    const headers = (key: string) => ({ headers: [`x-api-key: ${key}`] })
    const modes = Object.keys(ANSWERS) as Answers[]
    await Promise.all(
      modes.map(async answers => {
        const came = await play(name, { what: `the verifier: ${answers}`, send: headers }, answers)
        assert.equal(came, answers === 'yes' ? 'passes' : outcomeOf(answers), answers)
      }),
    )
    const down = { what: 'the verifier: down', send: (key: string) => ({ target: '/down', ...headers(key) }) }
    assert.equal(await play(name, down), '503 SERVICE_UNAVAILABLE')
    // Uses the connections that the other answers have left behind.
    for (let i = 0; i < 20; i += 1)
      assert.equal(await play(name, { what: 'after all that, no', send: headers }, 'no'), '401 API_KEY_INVALID')
    assert.equal(await play(name, { what: 'after all that, yes', send: headers }), 'passes')
  })

  test(`${name}: a plugin that throws lets no request pass`, { skip }, async () => {
    const send = (key: string) => ({ headers: [`x-api-key: ${key}`] })
    assert.equal(
      await play(name, { what: 'a later plugin throws', send: key => ({ target: '/torn', ...send(key) }) }),
      '500',
    )
    const expected = {
      digest: '500',
      hmac: '500',
      'cache-throws': '500',
      'cache-fails': '503 SERVICE_UNAVAILABLE',
    } as const
    const driver = drivers.get(name)
    for (const [fault, outcome] of Object.entries(expected) as [keyof typeof expected, string][]) {
      if (!(await driver?.setFault(fault, true))) continue
      assert.equal(await play(name, { what: `fault: ${fault}`, send }), outcome)
      await driver?.setFault(fault, false)
    }
    await driver?.setFault('log-throws', true)
    const came = await play(name, { what: 'fault: log-throws', send }, 'fails')
    assert.ok(came === '500' || came === '503 SERVICE_UNAVAILABLE', came)
    await driver?.setFault('log-throws', false)
    assert.equal(await play(name, { what: 'after the faults', send }), 'passes')
  })

  test(`${name}: a valid key does not admit later requests on the same connection`, { skip }, async () => {
    const id = (at: number) => `${name}-pipelined-${at}`
    const headers = ['connection: keep-alive', `x-api-key: yes.${name}`, 'x-consumer-id: admin']
    const requests = [headers, headers.slice(0, 1), headers, ['x-consumer-id: admin']]
    const bytes = requests.map((lines, at) => bytesOf({ method: 'POST', body: 'a', headers: lines }, id(at)))
    const answers = (await readAll(drivers.get(name)?.port ?? 0, bytes.join(''))).match(/HTTP\/1\.1 \d{3}/g)
    assert.deepEqual(answers, ['HTTP/1.1 200', 'HTTP/1.1 401', 'HTTP/1.1 200', 'HTTP/1.1 401'])
    assert.deepEqual(
      [0, 1, 2, 3].map(at => upstream.seen.has(id(at))),
      [true, false, true, false],
    )
  })
}

test('both drivers agree, except where they are known to differ', t => {
  const known = new Map(CASES.map(({ what, expect }) => [what, typeof expect !== 'string']))
  const counts = new Map<string, number>()
  for (const [what, { embedded, nginx }] of outcomes) {
    const row = nginx === undefined || embedded === undefined ? (embedded ?? nginx ?? '') : embedded
    counts.set(row, (counts.get(row) ?? 0) + 1)
    if (embedded === undefined || nginx === undefined || embedded === nginx) continue
    t.diagnostic(`${what}: embedded ${embedded}, nginx ${nginx}`)
    if (!what.startsWith('fault: ')) assert.ok(known.get(what), what)
  }
  for (const [row, count] of [...counts].sort()) t.diagnostic(`${String(count).padStart(4)}  ${row}`)
})
