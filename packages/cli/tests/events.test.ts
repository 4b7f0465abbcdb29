import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runEvents } from '../src/events/command.ts'
import { commandLine, Supervisor, tempDir, until } from './support/supervisor.ts'

const CONFIG = fileURLToPath(new URL('./fixtures/events/tsmicro.config.ts', import.meta.url))

/** A system of a service with PostgreSQL, which announces events and handles them. */
const dir = tempDir()
const data = join(dir.path, 'data')
const system = new Supervisor(['start', '--config', CONFIG], { DATA_DIR: data })
after(async () => {
  await system[Symbol.asyncDispose]()
  dir[Symbol.dispose]()
})
const shop = await system.address('shop')

async function tsmicro(...args: string[]) {
  const [command, all] = commandLine(...args)
  const child = spawn(command, all, { env: { ...process.env, DATA_DIR: data, NATS_URL: '' }, cwd: dir.path })
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', chunk => {
      said[stream] += chunk
    })
  const [code] = await once(child, 'close')
  return { code, ...said }
}

/** The command in this process, which spares the time to load it again. */
async function events(...args: string[]) {
  const said = { stdout: '', stderr: '' }
  const code = await runEvents({
    configFile: join(dir.path, 'tsmicro.config.ts'),
    args,
    env: { DATA_DIR: data },
    write: text => {
      said.stdout += text
    },
    tell: text => {
      said.stderr += text
    },
  })
  return { code, ...said }
}

async function order(orderId: string, ...texts: string[]) {
  for (const text of texts) {
    const body = JSON.stringify({ orderId, text })
    const answer = await fetch(`${shop}/order`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(answer.status, 200, await answer.text())
  }
}

async function stocked(orderId: string): Promise<readonly string[]> {
  const answer = (await (await fetch(`${shop}/stocked/${orderId}`)).json()) as { data: string[] }
  return answer.data
}

async function letters(): Promise<readonly { id: string; number: number; skipped: boolean; aggregateId: string }[]> {
  return JSON.parse((await events('dead', '--json')).stdout).letters
}

/** What the service knows about its consumer: as plain data, also where nobody has a terminal. */
async function health() {
  const { events, outboxes, ready } = (await (await fetch(`${shop}/health/ready`)).json()) as {
    ready: boolean
    events: readonly { consumer: string; dead: number; failed: number; inFlight: number }[]
    outboxes: readonly { pending: number }[]
  }
  return { ...events[0], pending: outboxes[0]?.pending, ready }
}

test('poison is kept with its error; after the fix one command sets it right, once', async () => {
  await order('good', '1')
  await order('bad', 'one', 'poison', 'three', 'four')
  await order('good', '2')
  await until('the others go on', async () => (await stocked('good')).length === 2)
  await until('what waits is kept', async () => (await health()).dead === 3)
  // What waits in an outbox is counted from time to time.
  await until('nothing waits in the outbox', async () => (await health()).pending === 0)
  const { consumer, failed, inFlight, pending, ready } = await health()
  assert.deepEqual([consumer, failed, inFlight, pending, ready], ['shop.stock', 2, 0, 0, true])
  assert.deepEqual(await stocked('bad'), ['one'])

  const status = await tsmicro('events')
  assert.match(
    status.stdout,
    /^Streams\n {2}stream +owner +events +numbers +oldest +subjects\n {2}EVENTS_order +shop +6 +1–6 /m,
  )
  assert.match(status.stdout, /^ {2}shop\.stock +EVENTS_order +0 +0 +– +0 +2 +1 +2 +0$/m)
  assert.match(status.stdout, /^ {2}shop +postgres +0 +–$/m)
  assert.deepEqual([status.code, status.stderr], [0, ''])

  const dead = await events('dead', 'shop')
  assert.match(
    dead.stdout,
    /^shop\.stock: event 2 of order bad, order\.changed\n {2}2 tries, kept \S+; 2 more wait behind it\n {2}poison cannot be stocked�\[31m\n {2}id \S+\n$/,
  )
  const [first] = await letters()
  const shown = await events('show', 'shop', first?.id ?? '')
  assert.match(shown.stdout, /^number +2$/m)
  assert.match(shown.stdout, /^announced +\S+ by shop, version 1$/m)

  const again = await events('retry', 'shop', '--aggregate', 'bad')
  assert.deepEqual([again.code, again.stdout], [1, 'stock: order bad fails: poison cannot be stocked�[31m\n'])
  assert.deepEqual(await stocked('bad'), ['one'])

  writeFileSync(join(data, 'mended'), '')
  assert.equal((await tsmicro('restart', 'shop')).code, 0)
  const mended = await events('retry', 'shop')
  assert.deepEqual(mended, { code: 0, stdout: 'stock: order bad handled, 3 events\n', stderr: '' })
  assert.deepEqual(await stocked('bad'), ['one', 'poison', 'three', 'four'])
  await order('bad', 'five')
  await until('the aggregate goes on', async () => (await stocked('bad')).length === 5)
  assert.deepEqual(await events('retry', 'shop'), { code: 0, stdout: 'There is nothing to retry.\n', stderr: '' })
  assert.equal((await events('dead')).stdout, 'There are no dead letters.\n')
})

test('a skipped event is kept, and newer state wins over it; a rebuild handles everything again', async () => {
  await order('late', 'one', 'two')
  await until('they are stocked', async () => (await stocked('late')).length === 2)
  const rebuilt = await events('rebuild', 'shop', 'stock')
  assert.match(rebuilt.stdout, /^shop\.stock is rebuilt(, \d+ events)?\n$/)
  assert.deepEqual(await stocked('late'), ['one', 'one', 'two', 'two'])
  const replayed = await events('replay', 'shop', 'stock', '--since', '2h')
  assert.match(replayed.stdout, /^shop\.stock gets the events since \S+ again: newer state wins\n$/)
  await order('late', 'three')
  await until('only the new one is stocked', async () => (await stocked('late')).length === 5)
})

test('the source announces its current states again, one aggregate or all, in parts', async () => {
  const one = await events('announce', 'shop', 'order', '--aggregate', 'good')
  assert.deepEqual(one, { code: 0, stdout: 'order: 1 announced\n', stderr: '' })
  const all = JSON.parse((await events('announce', 'shop', '--json')).stdout)
  assert.deepEqual(all, { results: [{ what: 'order: 3 announced' }] })
  await until('both are stocked', async () => (await stocked('good')).filter(text => text === '2').length >= 4)
})

test('what is wrong is said in one line, and the exit code tells it', async () => {
  const says = (args: readonly string[], error: RegExp) => assert.rejects(events(...args), error, args.join(' '))
  await says(['dead', 'nobody'], /^CliError: nobody does not answer: it does not run, or has no events$/)
  await says(['retry'], /^UsageError: usage: tsmicro events retry SERVICE \[NAME\]$/)
  await says(['rebuild', 'shop', 'no'], /^CliError: shop: .*name is unknown: shop has stock$/)
  await says(
    ['rebuild', 'shop', 'stock', '--type', 'x'],
    /^UsageError: --type does not belong to tsmicro events rebuild$/,
  )
  await says(['replay', 'shop', 'stock'], /^UsageError: usage: /)
  await says(['replay', 'shop', 'stock', '--since', 'today'], /^UsageError: --since today: use a time such as/)
  await says(['announce', 'shop', 'user'], /type cannot be announced again: shop does so for order$/)
  await says(
    ['skip', 'shop', 'stock', 'x'],
    /^CliError: shop\.stock has no dead letter with the id x: tsmicro events dead shop$/,
  )
  await says(['show', 'shop', 'x'], /no dead letter with the id x$/)
  await says(['dead', 'a.b'], /^UsageError: "a\.b" cannot be the name of a service$/)
  await says(['--nats', 'nats://127.0.0.1:1', 'dead', 'shop'], /^CliError: NATS cannot be used: /)
  await says(['--nats', 'nats://127.0.0.1:1'], /^UsageError: name the services/)
  assert.match((await events('--help')).stdout, /^Usage: tsmicro events/)
  const { code, stderr } = await tsmicro('events', 'fix')
  assert.deepEqual([code, stderr], [1, 'tsmicro: fix does not answer: it does not run, or has no events\n'])
})
