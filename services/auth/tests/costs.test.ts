import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import pg from 'pg'
import { currentContext } from 'tsmicro'
import { refresh, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { send } from './support/http.ts'

/** Statements that requests send, without what the service does in the background. */
const sent: string[] = []
const query = pg.Client.prototype.query
mock.method(pg.Client.prototype, 'query', function (this: pg.Client, ...args: unknown[]) {
  const [first] = args
  const text = typeof first === 'string' ? first : (first as { text: string }).text
  if (currentContext()) sent.push(text.slice(0, 40))
  return Reflect.apply(query, this, args)
})

const auth = await startAuth({ env: { SEED_DEVELOPMENT_DATA: 'true' } })

/** How many statements a request sends, once everything is known that can be known. */
async function statementsOf(request: () => Promise<unknown>): Promise<readonly string[]> {
  await request()
  sent.length = 0
  await request()
  return [...sent]
}

test('one’s own profile takes one statement', async () => {
  const { accessToken: token } = await signUp(auth)
  const statements = await statementsOf(() => send(auth.url, 'GET /profile/mine', { token }))
  assert.equal(statements.length, 1, statements.join('\n'))
})

test('an API key takes one statement', async () => {
  const statements = await statementsOf(() => send(auth.url, 'POST /verify/apikey', { body: { key: 'x' } }))
  assert.equal(statements.length, 1, statements.join('\n'))
})

test('a new pair of tokens takes one statement before the answer', async () => {
  let tokens = await signUp(auth)
  const statements = await statementsOf(async () => {
    const { body } = await refresh(auth, tokens)
    tokens = { ...tokens, ...body.data }
  })
  const exchanges = statements.filter(text => !text.includes('answered_ms'))
  assert.equal(exchanges.length, 1, statements.join('\n'))
})
