import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as authContracts from '@blog-platform/auth-contract'
import * as blogContracts from '@blog-platform/blog-contract'
import { type BoundProcedure, hasNoBody, isRole, needsUser, parseRoute } from 'tsmicro/contract'
import { bearer } from '../support/contents.ts'
import { proceduresIn, routeOf } from '../support/contracts.ts'
import { administrator, type Person, person } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { type Sent, send } from '../support/send.ts'

const procedures = proceduresIn(authContracts, blogContracts).filter(({ http }) => http !== undefined)
/** What the gateway lets through. */
const open = procedures.filter(({ access }) => access !== 'internal')

let platform: Platform
let learner: Person
let admin: Person
before(async () => {
  platform = await startPlatform()
  learner = await person(platform, 'Lea')
  admin = await administrator(platform)
})
after(() => platform?.[Symbol.asyncDispose]())

const publicRouteOf = (procedure: BoundProcedure) => routeOf(procedure, `/${procedure.service}`)

/** One row a procedure: what each was answered. A table, so that a failure shows every wrong cell at once. */
async function answersOf(
  asked: readonly BoundProcedure[],
  sent: (procedure: BoundProcedure) => Sent,
): Promise<readonly (readonly [string, number, unknown])[]> {
  return Promise.all(
    asked.map(async procedure => {
      const { status, body } = await send(platform.url, publicRouteOf(procedure), sent(procedure))
      return [`${procedure.service}.${procedure.name}`, status, body?.error] as const
    }),
  )
}

function everywhere(asked: readonly BoundProcedure[], status: number, error: string) {
  return asked.map(({ service, name }) => [`${service}.${name}`, status, error] as const)
}

const key = () => ({ 'x-api-key': platform.apiKey })

test('the contracts and what the services document are the same', async () => {
  for (const service of ['auth', 'blog']) {
    const { body } = await send(platform.url, `GET /${service}/openapi.json`, { headers: key() })
    const operations = Object.values(body?.paths as Record<string, Record<string, { operationId: string }>>)
    const documented = operations.flatMap(path => Object.values(path).map(({ operationId }) => operationId))
    const declared = open.filter(each => each.service === service).map(({ name }) => `${service}.${name}`)
    assert.deepEqual(documented.sort(), declared.sort())
    assert.ok(declared.length > 0)
  }
})

test('every procedure needs an API key', async () => {
  assert.deepEqual(
    await answersOf(procedures, () => ({ headers: bearer(admin) })),
    everywhere(procedures, 401, 'API_KEY_REQUIRED'),
  )
  assert.deepEqual(
    await answersOf(procedures, () => ({ headers: { ...bearer(admin), 'x-api-key': 'wrong' } })),
    everywhere(procedures, 401, 'API_KEY_INVALID'),
  )
})

test('internal procedures are not there for the public', async () => {
  const internal = procedures.filter(({ access }) => access === 'internal')
  assert.ok(internal.length > 0)
  assert.deepEqual(
    await answersOf(internal, () => ({ headers: { ...key(), ...bearer(admin) } })),
    everywhere(internal, 404, 'ROUTE_NOT_FOUND'),
  )
})

/** The same header and claims, signed by somebody else or by nobody. */
function forgeries(token: string): readonly string[] {
  const [header = '', claims = '', signature = ''] = token.split('.')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const own = sign('RSA-SHA256', Buffer.from(`${header}.${claims}`), privateKey).toString('base64url')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as object
  return [
    `${header}.${claims}.${own}`,
    `${encode({ ...decode(header), alg: 'none' })}.${claims}.`,
    `${header}.${encode({ ...decode(claims), exp: 9_999_999_999 })}.${signature}`,
  ]
}

test('who must be signed in is refused without a token of the auth service', async () => {
  const guarded = open.filter(({ access }) => needsUser(access))
  const tokens = ['garbage', 'a.b.c', admin.refreshToken, ...forgeries(admin.accessToken)]
  const headers = [
    {},
    { authorization: admin.accessToken },
    { authorization: `Basic ${admin.accessToken}` },
    ...tokens.map(accessToken => bearer({ accessToken })),
  ]
  for (const each of headers) {
    assert.deepEqual(
      await answersOf(guarded, () => ({ headers: { ...key(), ...each } })),
      everywhere(guarded, 401, 'UNAUTHENTICATED'),
    )
  }
})

test('who must have a role is refused without it', async () => {
  const gated = open.filter(({ access }) => isRole(access))
  assert.ok(gated.length > 0)
  assert.deepEqual(
    await answersOf(gated, () => ({ headers: { ...key(), ...bearer(learner) } })),
    everywhere(gated, 403, 'FORBIDDEN'),
  )
})

test('unknown fields and parameters are refused by every procedure', async () => {
  const headers = () => ({ ...key(), ...bearer(admin) })
  const withBody = open.filter(({ http }) => !hasNoBody(parseRoute(http ?? '').method))
  for (const procedure of open) {
    const { status, body } = await send(platform.url, `${publicRouteOf(procedure)}?surplus=1`, { headers: headers() })
    assertRefused(procedure, status, body?.details)
  }
  for (const procedure of withBody) {
    const { status, body } = await send(platform.url, publicRouteOf(procedure), {
      headers: headers(),
      json: { surplus: 1 },
    })
    assertRefused(procedure, status, body?.details)
  }
  assert.equal((await send(platform.url, 'GET /auth/profile/mine', { headers: headers() })).status, 200)
})

/** Told by name, so that it is not another problem of the request that was refused. */
function assertRefused({ service, name }: BoundProcedure, status: number, details: unknown): void {
  assert.equal(status, 400, `${service}.${name}`)
  const told = (details as readonly { path: string; message: string }[]).map(each => `${each.path} ${each.message}`)
  assert.ok(
    told.some(each => each.includes('surplus')),
    `${service}.${name}: ${told.join('; ')}`,
  )
}
