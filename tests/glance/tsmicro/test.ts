import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHttpClient, createService, VALIDATION_FAILED } from 'tsmicro'
import { createLogger } from 'tsmicro/telemetry'
import { createLoopback } from 'tsmicro/testing'
import { createModule, hello } from './serve.ts'

test('greets at both doors, and nobody without a name', async t => {
  const loopback = createLoopback()
  const module = createModule({ nats: loopback.client('hello') })
  const log = createLogger({ name: 'hello', level: 'silent' })
  const service = createService({ name: 'hello', version: '1.0.0', module, log })
  await service.start()
  t.after(() => service.stop())
  const http = createHttpClient(hello, { baseUrl: service.url })
  const caller = loopback.client('caller')
  await caller.connect()
  t.after(() => caller.close())
  const nats = caller.client(hello)
  assert.deepEqual(await http.greet({ name: 'Ada' }), { text: 'Hello Ada' })
  assert.deepEqual(await nats.greet({ name: 'Ada' }), { text: 'Hello Ada' })
  await assert.rejects(http.greet({ name: 'A' }), VALIDATION_FAILED)
  await assert.rejects(nats.greet({ name: 'A' }), VALIDATION_FAILED)
})
