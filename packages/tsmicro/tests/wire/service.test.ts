import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { until } from '../support/until.ts'
import { smallNats } from './nats.ts'
import type { Message } from './protocol.ts'
import { RawLink } from './raw-link.ts'
import { type Exchange, plain, readRecording } from './recording.ts'
import { answersOf, sorted } from './sameness.ts'
import { openShop } from './shop.ts'

const { probes, steps, subscriptions } = readRecording()
const server = await smallNats()
const shop = await openShop(server.url)
const raw = await RawLink.open(server.url)
after(async () => {
  raw[Symbol.dispose]()
  await shop[Symbol.asyncDispose]()
  await server.stop()
})
raw.subscribe('_INBOX.>')
raw.subscribe('_INBOX_tests.>')

/** Resolves when everything that the service sends has arrived. */
async function quiet(): Promise<void> {
  const before = raw.heard.length
  raw.publish({ subject: '$SRV.PING.shop', reply: '_INBOX.quiet', payload: '' })
  await until('the service answers', () => raw.heard.slice(before).some(({ subject }) => subject === '_INBOX.quiet'))
}

/** Changed on purpose: these mistakes are described to the caller as at the HTTP door. */
const BEYOND = 'is beyond what a number can hold; send it as text where the schema has a text'
const UNCLEAN = 'contains characters that are not text'
const LACKING = { path: '', message: 'must have required properties id' }
const RETOLD: Readonly<Record<string, readonly { readonly path: string; readonly message: string }[]>> = {
  'no body, where one is asked for': [LACKING, LACKING],
  'a number that would be rounded': [{ path: 'filter/limit', message: BEYOND }],
  'half a character': Array.from({ length: 2 }, () => ({ path: 'id', message: UNCLEAN })),
}

function retold(name: string, message: Message, index: number): Message {
  const { path, message: text } = RETOLD[name]?.[index] ?? {}
  if (text === undefined) {
    const payload = message.payload.replace(
      /(\["3",null,.*?)must be object(.*?)must be object/,
      `$1${LACKING.message}$2${LACKING.message}`,
    )
    return { ...message, payload }
  }
  const told = 'The request does not match the schema'
  return {
    ...message,
    headers: `NATS/1.0\r\nNats-Service-Error-Code: 400\r\nNats-Service-Error: ${told}\r\nTsmicro-Error: VALIDATION_FAILED\r\n\r\n`,
    payload: JSON.stringify({ error: `400:${told}: ${path} ${text}`, errorData: [{ path, message: text }] }),
  }
}

for (const { name, sent, answered, handled } of [...probes, ...steps] satisfies Exchange[])
  test(`a service answers as in the recording: ${name}`, async () => {
    const heard = raw.heard.length
    const begun = shop.handled.length
    const listening = subscriptions.map(each => each.subject)
    const wanted = answersOf(answered.map((message, index) => retold(name, message, index)))
    const answers = () =>
      answersOf(
        raw.heard
          .slice(heard)
          .filter(({ subject, headers }) => subject !== '_INBOX.quiet' && !headers?.startsWith('NATS/1.0 503')),
      )
    const given = () => shop.handled.slice(begun)
    // A call has started before it is cancelled, as it had in the recording.
    const [cancelled = [], others = []] = [true, false].map(is =>
      sent.filter(each => each.subject.startsWith('_TSMICRO.') === is),
    )
    for (const message of others) raw.publish(message)
    const ends = handled.filter(each => String((each as { name: string }).name).includes('ended'))
    if (cancelled.length > 0) await until('it has begun', () => given().length === handled.length - ends.length)
    for (const message of cancelled) raw.publish(message)
    await until('all is answered and handled as it was', () => {
      if (answers().length >= wanted.length - 1) shop.release()
      return answers().length >= wanted.length && given().length >= handled.length
    })
    await quiet()
    assert.deepEqual(answers(), wanted)
    assert.deepEqual(sorted(plain(given()) as unknown[]), sorted(handled))
    for (const { subject } of others)
      if (subject.startsWith('shop.') && !subject.startsWith('shop.gone'))
        assert.ok(listening.includes(subject), subject)
  })
