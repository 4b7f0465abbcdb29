import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sized } from '../../../tests/support/size.ts'
import { bytesOf } from './cases.ts'
import { driverNames, skipOf, startDriver } from './drivers.ts'
import { bytesOf as bytesOfSigned, forged, isSame, signed } from './forge.ts'
import { type SignedOnly, startSignedOnly, VERIFY_SECRET } from './upstream.ts'
import { startVerifier } from './verifier.ts'
import { exchange, outcome } from './wire.ts'

const FORGERIES = sized(4000)
const seed = Number(process.env.SEED ?? 20_251_122)
const REFUSED = '403 GATEWAY_REQUIRED'

const resources = new AsyncDisposableStack()
let service: SignedOnly
before(async () => {
  service = resources.use(await startSignedOnly())
})
after(() => resources.disposeAsync())

for (const name of driverNames) {
  test(`${name}: a service that requires signatures handles the requests that it forwards`, {
    skip: skipOf(name),
  }, async () => {
    await using verifier = await startVerifier()
    await using driver = await startDriver(name, { upstream: service.authority, verifier: verifier.authority })
    const target = '/private/../private//echo?a=%20&b=1'
    for (const more of [[], ['x-request-id: r', 'authorization: Bearer t', 'x-consumer-id: c', 'x-real-ip: 1.2.3.4']]) {
      const before = service.handled()
      const headers = ['x-api-key: yes.ann', ...more]
      assert.equal(outcome(await exchange(driver.port, bytesOf({ target, headers }, name))), '200')
      assert.equal(service.handled(), before + 1)
      assert.equal(outcome(await exchange(service.port, bytesOf({ target: '/private/echo', headers }, name))), REFUSED)
      assert.equal(service.handled(), before + 1)
    }
  })
}

test(`of ${FORGERIES} forgeries of signed requests, only those that equal the signed request reach a handler`, async t => {
  const requests = fc.sample(forged, { numRuns: FORGERIES, seed })
  const before = service.handled()
  const outcomes = new Map<string, number>()
  const faults: string[] = []
  let same = 0
  let done = 0
  let next = 0
  const run = async () => {
    for (let at = next++; at < requests.length; at = next++) {
      const one = requests[at]
      if (one === undefined) break
      const { signed, bytes } = one.make()
      // An incomplete request would be answered much later.
      const answer = outcome(await exchange(service.port, bytes, 500))
      outcomes.set(answer, (outcomes.get(answer) ?? 0) + 1)
      const good = isSame(bytes, signed)
      if (answer === '200') done += 1
      if (good) same += 1
      if (answer === '200' && !good) faults.push(`${one.how}: ${JSON.stringify(bytes)}`)
      if (answer !== '200' && answer !== '0' && one.how === 'nothing')
        faults.push(`${answer} for ${JSON.stringify(bytes)}`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, run))
  assert.deepEqual(faults, [], `seed ${seed}`)
  // A few are handled and also answered 400: they have a valid signature and a wrong length, so that their body counts as another request.
  const handled = service.handled() - before
  assert.ok(handled >= done && handled <= same, `${handled} handled, ${done} answered 200, ${same} signed`)
  t.diagnostic(`${same} were the signed request, ${done} of them were handled`)
  t.diagnostic(
    [...outcomes]
      .sort()
      .map(([answer, count]) => `${answer}: ${count}`)
      .join(', '),
  )
  assert.ok(done > 0 && (outcomes.get(REFUSED) ?? 0) > FORGERIES / 3)
})

test('a signed request does not admit later requests on the same connection', async () => {
  const before = service.handled()
  const good = bytesOfSigned(
    signed({ method: 'GET', target: '/private/echo', lines: [['x-consumer-id', 'a']] }),
  ).replace('close', 'keep-alive')
  const bad = 'GET /private/echo HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n'
  await exchange(service.port, good + bad)
  await exchange(service.port, `${good}${good}${bad}`)
  assert.equal(service.handled() - before, 3)
})

test('only health checks, and internal calls with their own secret, need no signature', async () => {
  const before = service.handled()
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
  const paths = [
    '/',
    '/health',
    '/health/ready',
    '/health/',
    '/health/x',
    '/HEALTH',
    '/health;x',
    '/health/../private/echo',
    '/openapi.json',
    '/private',
    '/private/echo',
    '/private/free',
    '/private/verify',
    '/nothing',
    '//health',
    '*',
  ]
  const open: string[] = []
  for (const path of paths) {
    for (const method of methods) {
      const { status } = await exchange(service.port, bytesOf({ method, target: path }, path))
      if (status !== 403 && status !== 400) open.push(`${method} ${path}`)
    }
  }
  assert.deepEqual(open, ['GET /health', 'HEAD /health', 'GET /health/ready', 'HEAD /health/ready'])
  const ask = (headers: readonly string[], method = 'POST') =>
    exchange(
      service.port,
      bytesOf(
        { method, target: '/private/verify', headers: ['content-type: application/json', ...headers], body: '{}' },
        'verify',
      ),
    )
  const shown = `x-verify-secret: ${VERIFY_SECRET}`
  assert.equal(outcome(await ask([shown])), '200')
  assert.equal(service.handled() - before, 1)
  const [, signature = ''] = signed({ method: 'POST', target: '/private/verify', lines: [] }).lines[0] ?? []
  for (const headers of [
    [],
    [shown.slice(0, -1)],
    [`${shown}x`],
    [shown.toUpperCase()],
    [shown, shown],
    ['x-verify-secret:'],
    [`x-gateway-signature: ${signature}`],
    [`x_verify_secret: ${VERIFY_SECRET}`],
  ])
    assert.equal(outcome(await ask(headers)), REFUSED, String(headers))
  // It admits only that procedure, and no requests through a proxy.
  assert.equal(
    outcome(await exchange(service.port, bytesOf({ target: '/private/echo', headers: [shown] }, 'echo'))),
    REFUSED,
  )
  assert.equal(outcome(await ask([shown], 'PUT')), REFUSED)
  assert.equal(outcome(await ask([shown, 'x-forwarded-for: 10.0.0.1'])), '404 ROUTE_NOT_FOUND')
  assert.equal(service.handled() - before, 1)
})
