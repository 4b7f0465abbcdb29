/** Callers and consumers that were built with the recorded form keep working when the contracts grow. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { implement, on } from 'tsmicro'
import { contract, event, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type, { type TObject } from 'typebox'
import type { Recorded, RecordedEvent, RecordedProcedure } from '../../src/contracts/record.ts'

const recorded: Recorded = JSON.parse(
  readFileSync(new URL('../../../../contracts/auth/recorded.json', import.meta.url), 'utf8'),
)
const { http, nats = '', input, output } = recorded.procedures['auth.publicProfile'] as RecordedProcedure
const { aggregate, version, versions } = recorded.events['user.created'] as RecordedEvent

/** The same with one optional field more. */
const grown = (schema: unknown) => {
  const { properties, ...rest } = schema as TObject
  return Type.Unsafe<Record<string, string>>({
    ...rest,
    properties: { ...properties, nickname: Type.Optional(Type.String()) },
  })
}
const same = (schema: unknown) => Type.Unsafe<Record<string, string>>(schema as TObject)

const doors = { http: http as 'GET /profile/id/:id', nats: nats.replace('auth.', ''), access: 'key' } as const
const old = contract('auth', {
  publicProfile: procedure({ ...doors, input: same(input), output: same(output) }),
})
const today = contract('auth', {
  publicProfile: procedure({ ...doors, input: grown(input), output: grown(output) }),
})
const spec = { subject: 'user.created', aggregate, version }
const oldCreated = event({ ...spec, data: same(versions[version]) })
const created = event({ ...spec, data: grown(versions[version]) })

test('an old caller and an old consumer keep working after an optional field was added', async () => {
  const taken: object[] = []
  await using app = await testService(({ nats }) => ({
    nats,
    handlers: [
      implement(today, { publicProfile: ({ input: { id = '' } }) => ({ id, name: 'Ada', nickname: 'the first' }) }),
      on(oldCreated, { name: 'old', effect: 'idempotent' }, ({ data }) => void taken.push(data)),
    ],
  }))
  const id = randomUUID()
  for (const caller of [app.http(old), app.nats(old)])
    assert.deepEqual(await caller.publicProfile({ id }), { id, name: 'Ada' })
  const user = { userId: id, email: 'a@b.test', name: 'Ada', role: 'LEARNER' }
  await app.publish(created, { ...user, nickname: 'the first' })
  assert.deepEqual(taken, [user])
})
