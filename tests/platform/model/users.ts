import { Refusal } from './refusal.ts'
import { ROLES, type RoleName, type UserState } from './state.ts'

/** The sender of a request. Without a user they are not signed in, even if they present a token. */
export interface Caller {
  readonly user?: UserState
  readonly token?: string
}

/** All users of a run, and what they may do. */
export class Users {
  readonly all: readonly UserState[]

  constructor(all: readonly UserState[]) {
    this.all = all
  }

  has({ roles }: UserState, wanted: RoleName): boolean {
    return roles.some(role => ROLES.indexOf(role) >= ROLES.indexOf(wanted))
  }

  /** @throws {Refusal} UNAUTHENTICATED, FORBIDDEN */
  demand({ user }: Caller, wanted: RoleName): UserState {
    const signedIn = this.signedIn(user)
    if (!this.has(signedIn, wanted)) throw new Refusal('FORBIDDEN')
    return signedIn
  }

  /** @throws {Refusal} UNAUTHENTICATED */
  signedIn(user: UserState | undefined): UserState {
    if (!user) throw new Refusal('UNAUTHENTICATED')
    return user
  }

  find(id: string): UserState {
    const found = this.all.find(user => user.id === id)
    if (!found) throw new Refusal('USER_NOT_FOUND')
    return found
  }

  setRoles(caller: Caller, id: string, roles: readonly RoleName[]): UserState {
    this.demand(caller, 'ADMIN')
    const user = this.find(id)
    const others = this.all.filter(each => each !== user && each.roles.includes('ADMIN'))
    if (!roles.includes('ADMIN') && others.length === 0) throw new Refusal('LAST_ADMIN')
    user.roles = roles
    return user
  }

  change(
    { user }: Caller,
    { name, profilePicUrl }: { readonly name?: string; readonly profilePicUrl?: string },
  ): UserState {
    const changed = this.signedIn(user)
    if (name !== undefined) changed.name = name
    if (profilePicUrl !== undefined) changed.profilePicUrl = profilePicUrl
    return changed
  }
}
