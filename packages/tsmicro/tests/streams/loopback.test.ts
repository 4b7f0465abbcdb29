/** Streams of a service in a test, without a server or a port. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FORBIDDEN } from 'tsmicro'
import { frameworkErrors } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import { authentication, authorization, roles } from '../support/providers.ts'
import { until } from '../support/until.ts'
import { type Seen, SOLD_OUT, sell, shop } from './shop.ts'

async function open() {
  const seen: Seen = { pulled: 0, ended: [], resumed: [] }
  const app = await testService(() => ({ handlers: [sell(seen)], authentication, authorization }))
  return { app, seen, [Symbol.asyncDispose]: () => app.close() }
}

test('items, declared errors, access and the cause of a failure, as with any other procedure', async () => {
  await using made = await open()
  const client = made.app.http(shop)
  const numbers: number[] = []
  await assert.rejects(async () => {
    for await (const { number } of client.count({ to: 3, fail: 'declared' })) numbers.push(number)
  }, SOLD_OUT)
  assert.deepEqual(numbers, [1, 2, 3])
  await assert.rejects(
    async () => {
      for await (const _ of client.count({ to: 1, fail: 'unexpected' }));
    },
    error => error instanceof frameworkErrors.INTERNAL && (error.cause as Error).message === 'secret',
  )
  const mine = async (app = made.app.as({ id: 'ada' })) => {
    for await (const { number } of app.http(shop).mine()) return number
  }
  await assert.rejects(mine(), FORBIDDEN)
  assert.equal(await mine(made.app.as({ id: 'ada' }, roles.WRITER)), 1)
})

test('items come one by one, and leaving ends the handler; so does the signal', async () => {
  await using made = await open()
  const { seen } = made
  for await (const { number } of made.app.http(shop).count()) {
    assert.ok(seen.pulled < number + 5000, 'the handler waits for its caller')
    if (number === 10) break
  }
  await until('the handler is told', () => seen.ended.length === 1)
  const left = new AbortController()
  const reason = new Error('enough')
  await assert.rejects(
    async () => {
      for await (const _ of made.app.http(shop).short({}, { signal: left.signal })) left.abort(reason)
    },
    error => error === reason,
  )
  await until('the handler is told again', () => seen.ended.length === 2)
})

test('an endless stream holds up neither close() nor a raw request', async () => {
  const made = await open()
  const answer = await made.app.fetch('/count')
  assert.equal(answer.status, 200)
  const reader = answer.body?.getReader()
  assert.match(new TextDecoder().decode((await reader?.read())?.value), /^retry: /)
  await made.app.close()
})
