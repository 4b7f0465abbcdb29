/*
 * Records what travels between a service and its clients:
 *   node packages/tsmicro/tests/wire/record.ts
 * The committed recording was made with the version that it names. It is not recorded again when the code changes, as it checks
 * that older messages are understood. Record a new step with the code from before the change that it is to protect against.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { NatsClient } from 'tsmicro'
import { until } from '../support/until.ts'
import { smallNats } from './nats.ts'
import { PROBES } from './probes.ts'
import type { Message } from './protocol.ts'
import { openProxy } from './proxy.ts'
import { RawLink } from './raw-link.ts'
import { type Exchange, outcomesOf, plain, RECORDED_NATS, type Recording } from './recording.ts'
import { openShop } from './shop.ts'
import { clientOf, STEPS } from './steps.ts'
import { unanswered } from './unanswered.ts'

await using server = await smallNats()
let sent: Message[] = []
let answered: Message[] = []
const subscriptions: { subject: string; queue?: string }[] = []

await using shopSide = await openProxy(server.url, (direction, operation) => {
  if (direction !== 'up') return
  if (operation.op === 'PUB' && operation.message.subject !== '$SYS.REQ.USER.INFO') answered.push(operation.message)
  if (operation.op === 'SUB')
    subscriptions.push({ subject: operation.subject, ...(operation.queue ? { queue: operation.queue } : {}) })
})
await using clientSide = await openProxy(server.url, (direction, operation) => {
  if (operation.op !== 'PUB' && operation.op !== 'MSG') return
  if (direction === 'up') sent.push(operation.message)
  // The server itself says that nobody listens.
  else if (operation.message.headers?.startsWith('NATS/1.0 503')) answered.push(operation.message)
})
await using shop = await openShop(shopSide.url)
const nats = new NatsClient({ url: clientSide.url, name: 'tests' })
await nats.connect()

let begun = 0
const handledNow = () => shop.handled.slice(begun)
const count = (name: string) => handledNow().filter(each => each.name.startsWith(name)).length
const events = () => sent.filter(({ headers }) => headers?.includes('ce-specversion')).length
const idle = () =>
  unanswered(sent, answered).length === 0 &&
  count('hang') === 2 * count('hang ended') &&
  count('shop.made') + count('item.priced') >= events()

async function exchange(name: string, work: () => Promise<object>): Promise<Exchange> {
  begun = shop.handled.length
  sent = []
  answered = []
  const outcome = await work()
  await until(`all of "${name}" is answered`, idle)
  const own = answered.filter(({ headers }) => !headers?.startsWith('NATS/1.0 503'))
  return { name, sent, answered: own, handled: plain(handledNow()) as unknown[], ...outcome }
}

const probes: Exchange[] = []
{
  using raw = await RawLink.open(clientSide.url)
  raw.subscribe('_INBOX.>')
  for (const { name, sent: messages } of PROBES)
    probes.push(
      await exchange(name, async () => {
        for (const message of messages) raw.publish(message)
        await raw.flush()
        if (name.startsWith('events')) await until('they are handled', () => count('item.priced') === 1)
        if (name === 'no answer wanted') await until('it is handled', () => count('nothing') === 1)
        return {}
      }),
    )
}
const client = clientOf(nats, {
  arrived: wanted => until(`${wanted} have arrived`, () => handledNow().length >= wanted),
  release: () => shop.release(),
})
const steps: Exchange[] = []
for (const { name, run } of STEPS)
  steps.push(await exchange(name, async () => ({ outcomes: await outcomesOf(await run(client)) })))
await nats.close()

const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim()
const recording: Recording = { commit, subscriptions, probes, steps }
writeFileSync(RECORDED_NATS, `${JSON.stringify(recording, undefined, 1)}\n`)
