import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KyselyPlugin } from 'kysely'
import { currentContext } from 'tsmicro'
import { createPostgres } from 'tsmicro/postgres'
import type { Tables } from '../src/database.ts'
import { close, signUp } from './support/accounts.ts'
import { addAuth } from './support/auth.ts'
import { assertFailure, send } from './support/http.ts'
import { startServers } from './support/servers.ts'

/** Runs something after the next query of the service, before its answer is used. */
let afterQuery: (() => Promise<void>) | undefined
const between: KyselyPlugin = {
  transformQuery: ({ node }) => node,
  async transformResult({ result }) {
    // A query that is not made for a request, such as the look for new keys, is not meant.
    if (currentContext() === undefined) return result
    const run = afterQuery
    afterQuery = undefined
    await run?.()
    return result
  },
}

const servers = await startServers()
const postgres = createPostgres<Tables>({ url: servers.postgres.url })
const auth = await addAuth(servers, { overrides: { postgres: { ...postgres, db: postgres.db.withPlugin(between) } } })

test('an account that is closed between the check of its token and the work is signed out, not a fault', async () => {
  for (const [route, body] of [['GET /profile/mine'], ['PUT /profile/mine', { name: 'New Name' }]] as const) {
    const account = await signUp(auth)
    afterQuery = () => close(auth, account)
    const answer = await send(auth.url, route, { token: account.accessToken, body })
    assertFailure(answer, 401, 'TOKEN_INVALID')
    assert.equal(afterQuery, undefined)
  }
})

test('an account that is closed while its password is checked does not get in', async () => {
  const { email, password, ...account } = await signUp(auth)
  afterQuery = () => close(auth, { email, password, ...account })
  assertFailure(await send(auth.url, 'POST /signin/basic', { body: { email, password } }), 401, 'CREDENTIALS_INVALID')
  assert.equal(afterQuery, undefined)
})
