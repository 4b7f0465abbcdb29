import { type Access, type BoundProcedure, type Role, roleBesideOwner } from '../contract/index.ts'
import { UNAUTHENTICATED } from '../errors/index.ts'
import { type AuthorizationProvider, requireRole } from './admission.ts'
import type { CallContext } from './context.ts'
import type { FailureMapper } from './failure.ts'

/**
 * Checks the user against the data, which only the handler knows. Resolves if the user has the role or a higher one; with
 * `{ owner }`, which a procedure with `access: { ownerOr: role }` requires, also if the user is the owner.
 */
export type Authorize<A extends Access> = (
  needed: A extends { readonly ownerOr: Role } ? Role | { readonly owner: string } : Role,
) => Promise<void>

type Needed = Role | { readonly owner: unknown }

/** Rejects with what the caller may see: FORBIDDEN, or that the role cannot be checked now. */
type RoleCheck = (needed: unknown, context: CallContext) => Promise<void>

/** The `authorize` of one call, and what was asked of it. */
export interface Authorization {
  readonly authorize: (needed: Needed) => Promise<void>
  /** @throws {TypeError} unless the handler has asked for the owner, and each such question was answered with yes */
  assertOwnerChecked(): void
}

/** Compiles the `authorize` of a procedure's handlers. */
export function compileAuthorize(
  procedure: BoundProcedure,
  provider: AuthorizationProvider | undefined,
  toFailure: FailureMapper,
): (context: CallContext) => Authorization {
  const label = `${procedure.service}.${procedure.name}`
  const besideOwner = roleBesideOwner(procedure.access)
  const check: RoleCheck = async (role, context) => {
    try {
      if (!isRole(role)) throw new TypeError(`${label}: authorize takes a role of defineRoles`)
      if (!provider)
        throw new TypeError(
          `${label}: authorize needs to know who has the role ${role.role}: give the module \`authorization\` (createRoleAuthorization of tsmicro/auth makes one)`,
        )
      const { user, deadline } = context
      if (!user) throw new UNAUTHENTICATED()
      await deadline.limit(requireRole(provider, user, role, context))
    } catch (error) {
      throw await toFailure(error, 'guard', context.log)
    }
  }
  return context => {
    let asked = false
    let unproven = 0
    const own = async (owner: unknown): Promise<void> => {
      asked = true
      unproven += 1
      // An owner of another type would never be the user.
      if (typeof owner !== 'string') {
        const error = new TypeError(`${label}: authorize takes the owner's id, a text, not ${typeof owner}`)
        throw await toFailure(error, 'guard', context.log)
      }
      if (owner !== context.user?.id) await check(besideOwner, context)
      unproven -= 1
    }
    return {
      authorize(needed) {
        const answer =
          besideOwner && Object(needed) === needed && 'owner' in needed ? own(needed.owner) : check(needed, context)
        // If the handler forgets to await it, a refusal must not end the process.
        answer.catch(() => {})
        return answer
      },
      assertOwnerChecked() {
        if (!asked)
          throw new TypeError(
            `${label}: a handler that succeeds has to call authorize({ owner }) before (a generator has not begun when it is returned)`,
          )
        if (unproven > 0)
          throw new TypeError(
            `${label}: a handler must not succeed if authorize({ owner }) has rejected or was not awaited`,
          )
      },
    }
  }
}

function isRole(role: unknown): role is Role {
  return typeof Object(role).rank === 'number'
}
