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

/** Runs something after the service's next query, before its result is used. */
let afterQuery: (() => Promise<void>) | undefined
const between: KyselyPlugin = {
  transformQuery: ({ node }) => node,
  async transformResult({ result }) {
    // Queries that do not belong to a request, such as the check for new keys, do not count.
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

test('if an account is closed after its token was checked, its owner is signed out instead of getting an error', async () => {
  const account = await signUp(auth)
  afterQuery = () => close(auth, account)
  // Reading one's own profile takes the statement that checks the token, so nothing can come between.
  const answer = await send(auth.url, 'PUT /profile/mine', { token: account.accessToken, body: { name: 'New Name' } })
  assertFailure(answer, 401, 'TOKEN_INVALID')
  assert.equal(afterQuery, undefined)
})

test('if an account is closed while its password is checked, its owner is not signed in', async () => {
  const { email, password, ...account } = await signUp(auth)
  afterQuery = () => close(auth, { email, password, ...account })
  assertFailure(await send(auth.url, 'POST /signin/basic', { body: { email, password } }), 401, 'CREDENTIALS_INVALID')
  assert.equal(afterQuery, undefined)
})
