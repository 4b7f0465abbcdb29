import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as authContracts from '@blog-platform/auth-contract'
import * as blogContracts from '@blog-platform/blog-contract'
import type { BoundProcedure } from 'tsmicro/contract'
import { hasNoBody, parseRoute } from 'tsmicro/internal'
import { bearer } from '../support/contents.ts'
import { proceduresIn, routeOf } from '../support/contracts.ts'
import { administrator, type Person } from '../support/people.ts'
import { type Platform, sharedPlatform } from '../support/platform.ts'
import { PICTURE } from '../support/scene.ts'
import { send } from '../support/send.ts'
import { wireOf } from '../support/wire.ts'

const procedures = proceduresIn(authContracts, blogContracts).filter(({ http }) => http !== undefined)
/** What the gateway lets through. */
const open = procedures.filter(({ access }) => access !== 'internal')

let platform: Platform
let admin: Person
before(async () => {
  platform = await sharedPlatform()
  admin = await administrator(platform)
})
after(() => platform?.[Symbol.asyncDispose]())

const publicRouteOf = (procedure: BoundProcedure) => routeOf(procedure, `/${procedure.service}`)

const key = () => ({ 'x-api-key': platform.apiKey })

test('the services document exactly what the contracts declare', async () => {
  for (const service of ['auth', 'blog']) {
    const { body } = await send(platform.url, `GET /${service}/openapi.json`, { headers: key() })
    const operations = Object.values(body?.paths as Record<string, Record<string, { operationId: string }>>)
    const ids = operations.flatMap(path => Object.values(path).map(({ operationId }) => operationId))
    const documented = ids.filter(id => !id.endsWith('.head'))
    const declared = open.filter(each => each.service === service).map(({ name }) => `${service}.${name}`)
    assert.deepEqual(documented.sort(), declared.sort())
    assert.ok(declared.length > 0)
  }
})

test('unknown fields and parameters are refused by every procedure', async () => {
  const headers = () => ({ ...key(), ...bearer(admin) })
  const takesForm = ({ name }: BoundProcedure) => name === 'setCover'
  const withBody = open.filter(each => !takesForm(each) && !hasNoBody(parseRoute(each.http ?? '').method))
  for (const procedure of open) {
    const { sent } = wireOf(procedure, takesForm(procedure) ? { file: PICTURE } : {})
    const { status, body } = await send(platform.url, `${publicRouteOf(procedure)}?surplus=1`, {
      ...sent,
      headers: { ...headers(), ...sent.headers },
    })
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

/** Checked by name, to be sure that nothing else in the request was refused. */
function assertRefused({ service, name }: BoundProcedure, status: number, details: unknown): void {
  assert.equal(status, 400, `${service}.${name}`)
  const told = (details as readonly { path: string; message: string }[]).map(each => `${each.path} ${each.message}`)
  assert.ok(
    told.some(each => each.includes('surplus')),
    `${service}.${name}: ${told.join('; ')}`,
  )
  // These are the fields of the procedure's input, no matter where they come from.
  for (const each of told) assert.doesNotMatch(each, /^(params|query|body|data)\b/, `${service}.${name}`)
}
