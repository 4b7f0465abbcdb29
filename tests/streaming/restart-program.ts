/**
 * A program: a service restarts under its streams. Fails unless the stop waits for none of them, and every client has every item once.
 * Arguments: the door of the clients; how many they are; `again` for one instance that stops and starts, or `other` for a second one that
 * starts before the first stops.
 */
import assert from 'node:assert/strict'
import { EventEmitter, once, setMaxListeners } from 'node:events'
import { startGateway } from '@tsmicro/gateway'
import { freePort, startNats } from '@tsmicro/infra'
import { createService, implement, type Log, NatsClient } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { until } from '../support/until.ts'

const [door = 'service', count, how] = process.argv.slice(2)
const CLIENTS = Number(count)
/** Only ends a hang, which would be visible in the log. */
const NEVER_MS = 60_000

const Name = Type.Union([Type.Literal('busy'), Type.Literal('quiet')])
const feed = contract('feed', {
  follow: procedure({
    http: 'GET /follow',
    nats: 'follow',
    access: 'open',
    input: Type.Object({ name: Name }),
    output: stream(Type.Object({ number: Type.Integer() }), { id: 'number' }),
  }),
})

/** What is stored, and outlives the service. */
class Feed {
  readonly #changes = new EventEmitter().setMaxListeners(0)
  newest = 0

  add(): void {
    this.newest += 1
    this.#changes.emit('change')
  }

  async *after(last: number, signal: AbortSignal): AsyncGenerator<{ number: number }, void> {
    for (let number = last + 1; ; number++) {
      while (number > this.newest) await once(this.#changes, 'change', { signal })
      yield { number }
    }
  }
}

const resources = new AsyncDisposableStack()
const { url } = resources.use(await startNats({ ephemeral: true }))
const connection = (name: string) => new NatsClient({ url, name, reconnectWaitMs: 20 })
/** The quiet one has no item before the restart: its clients have nothing to come back with. */
const feeds = { busy: new Feed(), quiet: new Feed() }
/** With every tenth of the clients that is back, there is something new: not all the time, as one process is both ends of each stream. */
const TENTH = CLIENTS / 10

async function start(port: number, addsItems: boolean) {
  const resumed: (string | undefined)[] = []
  const gaveUp: string[] = []
  const note = (_fields: object, message: string) => void (message.startsWith('gave up') && gaveUp.push(message))
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log }
  const handlers = implement(feed, {
    follow({ input, lastEventId, signal }) {
      if (resumed.push(lastEventId) % TENTH === 0 && addsItems) for (const each of Object.values(feeds)) each.add()
      return feeds[input.name].after(Number(lastEventId ?? 0), signal)
    },
  })
  const service = createService({
    name: 'feed',
    version: '1.0.0',
    log,
    http: { port },
    drainTimeoutMs: NEVER_MS,
    module: { handlers: [handlers], nats: connection('feed') },
  })
  await service.start()
  return { service, resumed, gaveUp }
}

const first = await start(0, false)
const ownPort = Number(new URL(first.service.url).port)
const secondPort = how === 'other' ? await freePort() : ownPort

async function gatewayUrl(): Promise<string> {
  const targets = [ownPort, secondPort].map(port => ({ target: `127.0.0.1:${port}` }))
  const gateway = await startGateway({
    port: 0,
    config: {
      _format_version: '3.0',
      upstreams: [{ name: 'feed', targets: how === 'other' ? targets : targets.slice(1) }],
      services: [{ name: 'feed', host: 'feed', routes: [{ paths: ['/'], response_buffering: false }] }],
    },
  })
  resources.use(gateway)
  return gateway.url
}

async function callerOf() {
  if (door !== 'nats')
    return createHttpClient(feed, { baseUrl: door === 'gateway' ? await gatewayUrl() : first.service.url })
  const caller = connection('clients')
  await caller.connect()
  resources.defer(() => caller.close())
  return caller.client(feed)
}

const caller = await callerOf()
const left = new AbortController()
setMaxListeners(0, left.signal)
const clients = Array.from({ length: CLIENTS }, (_, index) => {
  const name = index % 2 === 0 ? ('busy' as const) : ('quiet' as const)
  return { name, numbers: [] as number[] }
})
const failed: unknown[] = []
const following = clients.map(async ({ name, numbers }) => {
  for await (const { number } of caller.follow({ name }, { signal: left.signal })) numbers.push(number)
})
for (const each of following) each.catch(error => failed.push(error))
const haveAll = () => failed.length > 0 || clients.every(({ name, numbers }) => numbers.length >= feeds[name].newest)

for (let turn = 0; turn < 5; turn++) feeds.busy.add()
await until('all have the first items', () => haveAll() && first.resumed.length === CLIENTS)
const other = how === 'other' ? await start(secondPort, true) : undefined
const stopped = first.service.stop()
feeds.busy.add()
await stopped
assert.deepEqual(first.gaveUp, [])
feeds.busy.add()
const second = other ?? (await start(secondPort, true))
await until('all are back', () => failed.length > 0 || second.resumed.length === CLIENTS)
await until('all have everything', haveAll)
assert.deepEqual(failed, [])
for (const { name, numbers } of clients) {
  const expected = Array.from({ length: feeds[name].newest }, (_, index) => index + 1)
  assert.deepEqual(numbers, expected)
}
assert.equal(second.resumed.length, CLIENTS)
assert.equal(second.resumed.filter(id => id === undefined).length, Math.floor(CLIENTS / 2))
left.abort()
await Promise.allSettled(following)
await second.service.stop()
await resources.disposeAsync()
