// CI alone: packages/gateway/tests/balancing.test.ts and upstreams.test.ts show it for the gateway by hand.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { bearer } from '../support/contents.ts'
import { Load } from '../support/load.ts'
import { connectObserver, endpointsListed, endpointsSeen, SUBJECTS, trespass } from '../support/observer.ts'
import { draft, type Person, person } from '../support/people.ts'
import { ReplicatedSystem } from '../support/replicated-system.ts'
import { inFull } from '../support/size.ts'
import { until } from '../support/until.ts'

const linux = process.platform === 'linux' ? false : 'processes are found in /proc'
const CALLERS = 6

let system: ReplicatedSystem
let author: Person
let blogId: string
before(async () => {
  if (linux) return
  system = await ReplicatedSystem.start()
  author = await person(system, 'Ada', 'AUTHOR')
  blogId = (await author.authoring.create(draft('the-first')))._id
})
after(() => system?.[Symbol.asyncDispose]())

const headers = () => ({ 'x-api-key': system.apiKey, ...bearer(author) })
let runs = 0

/** A third each: reads of auth, reads of blog (which asks auth over NATS), and new blogs. */
function everything(): Load {
  const run = runs++
  return new Load(system.url, CALLERS, number => {
    const sent = { headers: headers() }
    if (number % 3 === 0) return { route: 'GET /auth/profile/mine', sent }
    if (number % 3 === 1) return { route: `GET /blog/author/id/${blogId}`, sent }
    return { route: 'POST /blog/author', sent: { ...sent, json: draft(`load-${run}-${number}`) } }
  })
}

async function further(load: Load, count: number): Promise<void> {
  const before = load.outcomes.length
  await until(`${count} further requests`, () => load.outcomes.length >= before + count)
}

/** Lines that requests have left in an instance's log since then. */
function servedBy(instance: string, since = 0): number {
  return system.output
    .slice(since)
    .split('\n')
    .filter(line => line.startsWith(instance) && / request .*status=/.test(line)).length
}

test('all instances share the requests, and the calls between services', { skip: linux }, async () => {
  const since = system.output.length
  const load = everything()
  await further(load, 120)
  await load.stop()
  assert.deepEqual(load.failed, [])
  for (const instance of ['auth-1', 'auth-2', 'blog-1', 'blog-2'])
    await until(`${instance} to have its part`, () => servedBy(instance, since) > 10)
})

test('the observer in the table of npm start sees every endpoint, and may do nothing else', {
  skip: linux,
}, async () => {
  const { command, login } = await system.observer()
  await using observer = await connectObserver(login)
  assert.deepEqual(await endpointsSeen(observer, 4), SUBJECTS)
  assert.deepEqual((await endpointsListed(command)) ?? SUBJECTS, SUBJECTS)
  const { allowed, tried } = await trespass(observer)
  assert.deepEqual(allowed, [])
  assert.ok(tried > 30, `${tried}`)
  assert.ok(!system.output.includes(login.password))
})

for (const service of ['blog', 'auth']) {
  const instance = `${service}-2`
  test(`kill -9 of ${instance} under load: no idempotent request fails, and it recovers`, {
    skip: linux,
  }, async () => {
    const pid = await system.pidOf(instance)
    const load = everything()
    await further(load, 30)
    process.kill(pid, 'SIGKILL')
    await until('the crash to be noticed', () => system.output.includes(`${instance} crashed (SIGKILL)`))
    await further(load, 60)
    await until(`${instance} to be back`, async () => (await system.pidOf(instance)) !== pid)
    await until('both to be healthy', async () =>
      Object.values(await system.healthOf(service)).every(health => health === 'HEALTHY'),
    )
    // The load continues until then: the gateway may not have noticed the crash yet when it reports both as healthy.
    const since = system.output.length
    await until(`${instance} to have its part again`, () => servedBy(instance, since) > 0)
    await load.stop()
    assert.deepEqual(
      load.failed.filter(({ route }) => !route.startsWith('POST')),
      [],
    )
    // Each caller has at most one request in progress on it.
    assert.ok(load.failed.length <= CALLERS, JSON.stringify(load.failed))
    for (const { status, text } of load.failed) assert.equal(status, 502, text)
  })
}

test('every instance is replaced under load: no request fails', { skip: linux }, async () => {
  const instances = ['auth-1', 'auth-2', 'blog-1', 'blog-2']
  const before = await Promise.all(instances.map(instance => system.pidOf(instance)))
  const load = everything()
  await further(load, 30)
  const { code, stdout, stderr } = await system.restart()
  assert.equal(code, 0, stderr)
  assert.deepEqual(
    stdout.split('\n').filter(line => line.endsWith('is replaced')),
    instances.map(instance => `${instance} is replaced`),
  )
  await further(load, 30)
  await load.stop()
  assert.deepEqual(load.failed, [])
  const now = await Promise.all(instances.map(instance => system.pidOf(instance)))
  assert.equal(new Set([...before, ...now]).size, 8)
})

test('the configuration is replaced under load, and an invalid one is refused: no request fails', {
  skip: linux,
}, async () => {
  const config = await readFile(new URL('../../kong/kong-load-balanced.yml', import.meta.url), 'utf8')
  const post = async (body: string) => {
    const headers = await system.adminHeaders()
    const answer = await fetch(`${system.adminUrl}/config`, { method: 'POST', body, headers })
    return [answer.status, String(((await answer.json()) as { message?: string }).message)] as const
  }
  const load = everything()
  const line = config.slice(0, config.indexOf('    algorithm: round-robin')).split('\n').length
  for (let round = 0; round < (inFull ? 5 : 1); round++) {
    await further(load, 20)
    assert.equal((await post(config))[0], 201)
    await further(load, 20)
    const [status, message] = await post(config.replace('algorithm: round-robin', 'algorithm: latency'))
    assert.equal(status, 400)
    assert.match(
      message,
      new RegExp(`:${line} is invalid at upstreams\\[0\\]\\.algorithm: only round-robin is supported`),
    )
  }
  // One target fewer, as when an operator removes an instance.
  const without = config.replace('      - target: blog-2:8002\n', '      - target: blog-2:8002\n        weight: 0\n')
  assert.equal((await post(without))[0], 201)
  await further(load, 20)
  await load.stop()
  assert.deepEqual(load.failed, [])
  const since = system.output.length
  const more = everything()
  await further(more, 60)
  await more.stop()
  assert.deepEqual([more.failed, servedBy('blog-2', since)], [[], 0])
})

test('both instances of auth answer calls of other services; calls that wait for a frozen one move on', {
  skip: linux,
}, async () => {
  // If either one is down, the other one answers: so both are in the queue group.
  for (const instance of ['auth-1', 'auth-2']) {
    const pid = await system.pidOf(instance)
    const load = new Load(system.url, CALLERS, number => ({
      route: number % 2 === 0 ? 'GET /auth/profile/mine' : 'GET /blog/list/latest',
      sent: { headers: headers() },
    }))
    await further(load, 20)
    process.kill(pid, 'SIGSTOP')
    try {
      await until(
        `auth without ${instance}`,
        async () => (await system.healthOf('auth'))[`${instance}:8001`] === 'UNHEALTHY',
      )
      await further(load, 20)
      // It stays frozen to the end: the other one answered everything that was waiting for it.
      await load.stop()
      assert.deepEqual(load.failed, [])
    } finally {
      await load.stop()
      process.kill(pid, 'SIGKILL')
    }
    const created = await author.authoring.create(draft(`without-${instance}`))
    assert.ok(created._id)
    await until(`${instance} to be back`, async () => (await system.healthOf('auth'))[`${instance}:8001`] === 'HEALTHY')
  }
})
