// CI alone: services/blog/tests/faults.test.ts and packages/tsmicro/tests/nats/faults.test.ts do without NATS by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { bearer, type Contents, publish } from '../support/contents.ts'
import { downOf, readyOf } from '../support/health.ts'
import { clientsOf, draft, type Person, person } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { type Answer, send } from '../support/send.ts'
import { until } from '../support/until.ts'

let platform: Platform
let contents: Contents
let reader: Person
before(async () => {
  // What is asked about each request is on its way when NATS is killed.
  platform = await startPlatform({ env: { AUTH_LEASE_MS: '0' } })
  contents = await publish(platform, 2)
  reader = await person(platform, 'Rita')
})
after(() => platform?.[Symbol.asyncDispose]())

const key = () => ({ 'x-api-key': platform.apiKey })

function write(slug: string): Promise<Answer> {
  return send(platform.url, 'POST /blog/author', {
    headers: { ...key(), ...bearer(contents.author) },
    json: draft(slug),
  })
}

/** Makes calls that wait for the frozen auth service; resolves once they have been sent over NATS. */
async function callsInFlight(count: number): Promise<{ readonly answers: Promise<Answer[]> }> {
  const spy = await connect({ servers: new URL(platform.nats.url).host, reconnect: false })
  let seen = 0
  spy.subscribe('auth.>', { callback: () => void seen++ })
  await spy.flush()
  platform.auth.signal('SIGSTOP')
  const answers = Promise.all(
    Array.from({ length: count }, (_, index) =>
      send(platform.blogUrl, 'POST /author', { headers: bearer(contents.author), json: draft(`in-flight-${index}`) }),
    ),
  )
  await until('the calls to be on their way', () => seen > 0)
  await spy.close()
  return { answers }
}

test('calls in flight when NATS is killed are answered 503 or 504', async () => {
  try {
    const { answers } = await callsInFlight(8)
    platform.nats.kill('SIGKILL')
    for (const { status, body } of await answers) {
      assert.ok([503, 504].includes(status), `${status} ${body?.message}`)
    }
  } finally {
    platform.auth.signal('SIGCONT')
  }
})

test('without NATS, protected routes answer 503, and the rest works as before', async () => {
  await until(
    'both services to notice',
    async () => !(await readyOf(platform.authUrl)) && !(await readyOf(platform.blogUrl)),
  )
  for (let round = 0; round < 3; round++) {
    const { status, body } = await write(`without-nats-${round}`)
    assert.deepEqual([status, body?.error], [503, 'SERVICE_UNAVAILABLE'])
  }
  // Sign-up publishes an event; the account must not depend on that.
  const newcomer = await person(platform, 'Nina')
  assert.equal((await newcomer.profile.myProfile({})).name, 'Nina')
  assert.equal((await reader.profile.changeMyProfile({ name: 'Margarita' })).name, 'Margarita')
  const { accessToken } = await reader.session.refresh({ refreshToken: reader.refreshToken })
  await clientsOf(platform, accessToken).session.signOut({})
  const [id = ''] = contents.ids
  assert.equal((await clientsOf(platform).reading.findById({ id })).author.name, 'Ada')

  const { status, data } = await send(platform.url, 'GET /blog/health')
  assert.deepEqual([status, data.status, data.ready, downOf(data)], [200, 'ok', false, ['nats']])
})

test('NATS back: calls and events work again, nothing else was restarted', async () => {
  await platform.nats.restart()
  await until('writing to work', async () => {
    const { status, body } = await write('with-nats-again')
    assert.ok(status === 201 || status === 503, `${status} ${body?.message}`)
    return status === 201
  })
  await until(
    'both services to be ready',
    async () => (await readyOf(platform.authUrl)) && (await readyOf(platform.blogUrl)),
  )
  await contents.author.profile.changeMyProfile({ name: 'Countess' })
  const [id = ''] = contents.ids
  const shown = async () => (await clientsOf(platform).reading.findById({ id })).author.name
  await until('the new name', async () => (await shown()) === 'Countess')
})
