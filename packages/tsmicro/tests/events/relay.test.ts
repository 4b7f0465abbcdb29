import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startNats, startPostgres } from '@tsmicro/infra'
import { until } from '../support/until.ts'
import { orderChanged, orderPlaced, parcelSent, type Servers, shop, streamReader } from './outbox-shop.ts'

const inFull = Boolean(process.env.CI)

/** The outbox is in a database of its own, as a stream belongs to it. */
async function servers() {
  const folder = await mkdtemp(join(tmpdir(), 'relay-'))
  const [own, nats] = await Promise.all([startPostgres({ ephemeral: true }), startNats({ dataDir: folder })])
  after(async () => {
    await Promise.all([own.stop(), nats.stop()])
    await rm(folder, { recursive: true, force: true })
  })
  return { nats, postgres: own, folder, urls: { postgresUrl: own.url, natsUrl: nats.url } satisfies Servers }
}

async function started(urls: Servers) {
  const made = shop(urls)
  await made.service.start()
  return made
}

const upTo = (n: number) => Array.from({ length: n }, (_, index) => index + 1)
const shared = await servers()
const reader = await streamReader(shared.urls.natsUrl)
after(() => reader.nats.close())

test('an event is sent once its change is committed, with its attributes and the context of its call', async () => {
  await using app = await started(shared.urls)
  const orderId = randomUUID()
  const time = new Date('2031-02-03T04:05:06.789Z')
  await app.postgres.transaction(async tx => {
    await app.outbox.add(tx, orderPlaced, { orderId, text: 'first' }, { time })
    await app.outbox.add(tx, orderChanged, { orderId, text: 'Ä' })
    await app.outbox.add(tx, parcelSent, { orderId, text: 'sent' })
  })
  await assert.rejects(app.change(orderId, 'never', true), RangeError)
  await app.change(orderId, 'last')
  await until('all are sent', async () => (await reader.numbers(orderId)).length === 3)
  const [placed, changed, last] = (await reader.messages()).filter(each => each.headers['ce-aggregateid'] === orderId)
  assert.deepEqual(
    { ...placed?.headers, 'nats-msg-id': '', 'ce-id': '' },
    {
      'nats-msg-id': '',
      'ce-specversion': '1.0',
      'ce-id': '',
      'ce-type': 'order.placed',
      'ce-source': 'shop',
      'ce-time': time.toISOString(),
      'ce-dataversion': '1',
      'ce-aggregateid': orderId,
      'ce-aggregatesequence': '1',
    },
  )
  assert.equal(placed?.headers['nats-msg-id'], placed?.headers['ce-id'])
  const data = [placed, changed, last].map(each => JSON.parse(String(Buffer.from(each?.data ?? ''))))
  assert.deepEqual(data, [
    { orderId, text: 'first' },
    { orderId, text: 'Ä' },
    { orderId, text: 'last' },
  ])
  // Another kind of aggregate counts for itself.
  const parcels = (await reader.messages('parcel')).map(({ headers }) => headers['ce-aggregatesequence'])
  assert.deepEqual(parcels, ['1'])
})

test('a service that stops sends what was committed before', async () => {
  const app = await started(shared.urls)
  const ids = [randomUUID(), randomUUID()]
  await Promise.all(upTo(50).flatMap(n => ids.map(id => app.change(id, String(n)))))
  await app.service.stop()
  for (const id of ids) assert.deepEqual(await reader.numbers(id), upTo(50))
})

test('a stop gives up soon on what NATS does not accept', async () => {
  let turns = 0
  const app = shop(shared.urls, {
    wrap: store => {
      const relay = () => {
        turns += 1
        return Promise.reject(new Error('not accepted'))
      }
      return Object.assign(store, { relay })
    },
  })
  await app.service.start()
  await until('it tries', () => turns > 0)
  const before = turns
  await app.service.stop()
  assert.ok(turns - before <= 8, `${turns - before} turns`)
})

test('while NATS is down, changes are committed and wait; a stop does not', async () => {
  const { nats, urls } = await servers()
  const id = randomUUID()
  const app = await started(urls)
  await app.change(id, 'before')
  nats.kill('SIGKILL')
  for (const n of upTo(20)) await app.change(id, String(n))
  await nats.restart()
  await using own = await streamReader(urls.natsUrl)
  await until('all are sent', async () => (await own.numbers(id)).length === 21)
  assert.deepEqual(await own.numbers(id), upTo(21))
  await nats.stop()
  await app.change(id, 'later')
  await app.service.stop()
  await nats.restart()
  await using _next = await started(urls)
  await until('the next process sends it', async () => (await own.numbers(id)).length === 22)
})

test('a relay that dies between acknowledgement and mark: its successor sends the same again, and the stream keeps one', async () => {
  let deaths = 0
  // As if the process died: the transaction with the marks is rolled back.
  await using app = shop(shared.urls, {
    wrap: store => {
      const relay = store.relay.bind(store)
      const dying: typeof relay = (send, limit) =>
        relay(async (events, lasts) => {
          const numbers = await send(events, lasts)
          if (++deaths % 3 === 0) return numbers
          throw new Error('killed')
        }, limit)
      return Object.assign(store, { relay: dying })
    },
  })
  await app.service.start()
  const id = randomUUID()
  for (const n of upTo(30)) await app.change(id, String(n))
  await until('all are sent', async () => (await reader.numbers(id)).length >= 30)
  await app.service.stop()
  assert.deepEqual(await reader.numbers(id), upTo(30))
  assert.ok(deaths >= 3)
})

test('two processes change the same orders and relay, and are killed: nothing is lost, doubled or out of order', async () => {
  const { urls, nats } = await servers()
  const ids = upTo(4).map(() => randomUUID())
  const committed = new Set<string>()
  const program = fileURLToPath(new URL('outbox-program.ts', import.meta.url))
  const run = (): ChildProcess => {
    const child = spawn(process.execPath, [program, urls.postgresUrl, urls.natsUrl, ...ids], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line !== '') committed.add(line)
    })
    return child
  }
  const end = async (child: ChildProcess, signal: NodeJS.Signals) => {
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  const more = async (n: number) => {
    const before = committed.size
    await until(`${n} more are committed`, () => committed.size >= before + n)
  }
  const children = [run(), run()]
  try {
    for (const n of inFull ? [0, 1, 0] : [0, 1]) {
      await more(inFull ? 60 : 20)
      await end(children[n] as ChildProcess, 'SIGKILL')
      const next = run()
      children[n] = next
      // NATS has to be there while a service starts.
      await until('the next one changes orders', () => [...committed].some(text => text.startsWith(`${next.pid}-`)))
      await more(inFull ? 30 : 10)
      if (n === 1) {
        nats.kill('SIGKILL')
        await nats.restart()
      }
    }
    await more(inFull ? 60 : 20)
  } finally {
    await Promise.all(children.map(child => end(child, 'SIGTERM')))
  }
  await using own = await streamReader(urls.natsUrl)
  {
    await using last = shop(urls)
    await last.service.start()
    await until('nothing waits', async () => (await last.postgres.outboxStore().depth()).pending === 0)
  }
  const messages = await own.messages()
  for (const id of ids) {
    const numbers = await own.numbers(id)
    // First occurrences: a stream that lost unsynced messages gets them again.
    assert.deepEqual([...new Set(numbers)], upTo(Math.max(...numbers)))
  }
  const texts = new Set(messages.map(({ data }) => JSON.parse(String(Buffer.from(data))).text))
  for (const text of committed) assert.ok(texts.has(text), `${text} is lost`)
  assert.ok(!texts.has('abandoned'))
})

test('a stream that was deleted, or whose folder was wiped, is filled again from what was kept', async () => {
  const { urls, nats, folder } = await servers()
  await using app = await started(urls)
  const id = randomUUID()
  for (const n of upTo(5)) await app.change(id, String(n))
  await using own = await streamReader(urls.natsUrl)
  await until('all are sent', async () => (await own.numbers(id)).length === 5)
  await own.nats.exchange('$JS.API.STREAM.DELETE.EVENTS_order', '', { timeoutMs: 5000 })
  await app.change(id, '6')
  await until('all are there again', async () => new Set(await own.numbers(id)).size === 6)
  assert.deepEqual(await own.numbers(id), upTo(6))
  nats.kill('SIGKILL')
  await rm(join(folder, 'jetstream'), { recursive: true })
  await nats.restart()
  await app.change(id, '7')
  await until('all are there again', async () => new Set(await own.numbers(id)).size === 7)
  assert.deepEqual(await own.numbers(id), upTo(7))
  assert.match(JSON.stringify(app.log.at('warn')), /a stream has lost events/)
})

test('erased events are gone from the stream, and the next one says from where on', async () => {
  await using app = await started(shared.urls)
  const [id, other] = [randomUUID(), randomUUID()]
  for (const each of [id, other, id]) await app.change(each, 'private')
  await until('they are sent', async () => (await reader.numbers(id)).length === 2)
  await app.outbox.erase('order', id)
  assert.deepEqual([await reader.numbers(id), await reader.numbers(other)], [[], [1]])
  await app.change(id, 'new')
  await until('it is sent', async () => (await reader.numbers(id)).length === 1)
  const [next] = (await reader.messages()).filter(({ headers }) => headers['ce-aggregateid'] === id)
  assert.deepEqual([next?.headers['ce-aggregatesequence'], next?.headers['ce-aggregatefirst']], ['3', '3'])
})

test('a service does not start with a stream of another one, nor without JetStream, and says so in one line', async () => {
  await using _owner = await started(shared.urls)
  const foreign = shop(shared.urls, { name: 'thief' })
  await assert.rejects(foreign.service.start(), /EVENTS_order belongs to service "shop"/)

  const folder = await mkdtemp(join(tmpdir(), 'relay-'))
  const config = join(folder, 'nats.conf')
  await writeFile(config, 'accounts: { A: { users: [{ user: a, password: a }] } }, no_auth_user: a')
  const plain = await startNats({ ephemeral: true, extraArgs: ['-c', config] })
  const without = shop({ ...shared.urls, natsUrl: plain.url })
  try {
    await assert.rejects(
      without.service.start(),
      /^StartError: JetStream cannot be used: the NATS server has none[^\n]*start it with -js$/,
    )
  } finally {
    await plain.stop()
    await rm(folder, { recursive: true })
  }
})

test('what was forgotten is told with the next event', async () => {
  await using first = await started(shared.urls)
  const [before, after] = [randomUUID(), randomUUID()]
  await first.change(before, 'before')
  await until('it is sent', async () => (await reader.numbers(before)).length === 1)
  await first.service.stop()
  await using next = await started(shared.urls)
  const told = async () =>
    (await reader.messages()).flatMap(({ headers }) =>
      headers['ce-aggregateid'] === after ? (headers['tsmicro-forgotten'] ?? []) : [],
    )
  await until('it is told', async () => {
    await next.change(after, 'after')
    return (await told()).length > 0
  })
  await next.change(after, 'once')
  const [time = '', ...more] = await told()
  assert.ok(Date.parse(time) <= Date.now() + 60_000)
  assert.deepEqual(more, [])
})
