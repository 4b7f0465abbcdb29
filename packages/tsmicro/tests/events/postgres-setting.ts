import assert from 'node:assert/strict'
import { after } from 'node:test'
import type { Transaction } from 'kysely'
import { createPostgres } from 'tsmicro/postgres'
import type { StoredEvent } from '../../src/stores/index.ts'
import type { OutboxSetting } from './outbox-suite.ts'

export type Options = Parameters<typeof createPostgres>[0]

/** An outbox with connections of its own. */
export async function openOutbox(options: Options) {
  const postgres = createPostgres(options)
  await postgres.connect()
  after(() => postgres.close())
  const store = postgres.outboxStore()
  await store.prepare()
  const add = async (tx: Transaction<unknown>, events: readonly StoredEvent[], options = { restart: false }) => {
    for (const event of events) await store.add(tx, event, options)
  }
  const setting: OutboxSetting = {
    store,
    commit: (events, options) => postgres.transaction(tx => add(tx, events, options), { retries: 50 }),
    abandon: async events => {
      const failing = postgres.transaction(async tx => {
        await add(tx, events)
        throw new RangeError('abandoned')
      })
      await assert.rejects(failing, RangeError)
    },
  }
  return { ...setting, postgres, store }
}
