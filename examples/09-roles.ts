// Who may call: anybody, a signed-in user, a role or a higher one, the owner or an editor.
import { type AuthenticationProvider, createService, FORBIDDEN, implement, UNAUTHENTICATED } from 'tsmicro'
import { createRoleAuthorization } from 'tsmicro/auth'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, defineRoles, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const roles = defineRoles('READER', 'AUTHOR', 'EDITOR')
const { NO_DRAFT } = defineErrors({ NO_DRAFT: { status: 404, message: 'There is no such draft' } })
const Draft = Type.Object({ id: Type.String(), text: Type.String() })
const drafts = contract('drafts', {
  whoAmI: procedure({ http: 'GET /me', access: 'user', output: Type.String() }),
  write: procedure({ http: 'PUT /drafts/:id', access: roles.AUTHOR, input: Draft, output: Draft }),
  read: procedure({
    http: 'GET /drafts/:id',
    access: { ownerOr: roles.EDITOR },
    input: Type.Pick(Draft, ['id']),
    output: Draft,
    errors: { NO_DRAFT },
  }),
})

// Stands in for a sign-in: the token is the user's id. `createRemoteAccess` asks an auth service instead.
const granted = new Map([
  ['ada', ['AUTHOR']],
  ['bob', ['AUTHOR']],
  ['eve', ['EDITOR']],
])
const authentication: AuthenticationProvider = {
  async authenticate(token) {
    if (!granted.has(token)) throw new UNAUTHENTICATED()
    return { id: token }
  },
}
const authorization = createRoleAuthorization({
  hasRole: async ({ id }, { role }) => roles.satisfies(granted.get(id) ?? [], role),
})

const written = new Map<string, { owner: string; text: string }>()
const handlers = implement(drafts, {
  whoAmI: ({ user }) => user.id,
  write({ input, user }) {
    written.set(input.id, { owner: user.id, text: input.text })
    return input
  },
  async read({ input, authorize, errors }) {
    const draft = written.get(input.id)
    if (!draft) throw new errors.NO_DRAFT()
    await authorize({ owner: draft.owner })
    return { id: input.id, text: draft.text }
  },
})

const log = createLogger({ name: 'drafts', level: 'silent' })
const module = { handlers: [handlers], authentication, authorization }
const service = createService({ name: 'drafts', version: '1.0.0', module, log, http: { port: 0 } })
await service.start()
const as = (token: string) =>
  createHttpClient(drafts, { baseUrl: service.url, headers: { authorization: `Bearer ${token}` } })
const shown = (error: unknown) =>
  error instanceof FORBIDDEN ? 'forbidden' : error instanceof UNAUTHENTICATED ? 'unknown' : Promise.reject(error)

await as('ada').write({ id: '1', text: 'Once upon a time' })
for (const token of ['ada', 'bob', 'eve', 'mallory'])
  console.log(
    token,
    await as(token)
      .read({ id: '1' })
      .then(draft => draft.text, shown),
  )
await service.stop()

// Prints:
// ada Once upon a time
// bob forbidden
// eve Once upon a time
// mallory unknown
