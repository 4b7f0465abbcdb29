import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refresh, refreshed, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { claimsOf } from './support/tokens.ts'
import { until } from './support/until.ts'

const auth = await startAuth()

/** Makes every renewal slow, while each statement may take as long as a whole request. */
async function slowDown(seconds: number): Promise<void> {
  await auth.sql(`create or replace function slow() returns trigger language plpgsql as $$
    begin perform pg_sleep(${seconds}); return new; end $$`)
  await auth.sql(`create or replace trigger slow before update on sessions for each row execute function slow()`)
}

test('a renewal that took too long is not done: the pair that the caller has stays valid', async () => {
  const account = await signUp(auth)
  const { sid } = claimsOf(account.accessToken)
  await slowDown(3)
  // Locks the session's row until the renewal has spent more than half of its five seconds waiting for it.
  const holding = auth.sql(
    'with held as (select id from sessions where id = $1 for update) select pg_sleep(3) from held',
    [sid],
  )
  await until('the row to be held', async () => {
    const [row] = await auth.sql('select id from sessions where id = $1 for update skip locked', [sid])
    return row === undefined
  })
  const { status } = await refresh(auth, account)
  assert.ok(status === 503 || status === 504, `${status}`)
  await holding
  await auth.sql('drop trigger slow on sessions')
  // Long after that, this would look like theft if the first renewal had been done.
  await auth.sql(`update sessions set issued_at = now() - interval '1 minute' where id = $1`, [sid])
  const next = await refreshed(auth, account)
  assert.equal(claimsOf(next.accessToken).sid, sid)
})
