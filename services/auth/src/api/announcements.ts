import { apiKeyEvents, sessionEvents, userEvents } from '@blog-platform/auth-contract'
import type { Outbox } from 'tsmicro'
import type { Change } from '../database.ts'
import { publicProfileOf, type User } from './user/model.ts'

/** Announces changes: each event is kept in the transaction of its change, and sent once that is committed. */
export class Announcements {
  readonly #outbox: Outbox<Change>

  constructor(outbox: Outbox<Change>) {
    this.#outbox = outbox
  }

  userCreated(user: User, change: Change): Promise<void> {
    return this.#outbox.add(change, userEvents.userCreated, createdData(user))
  }

  /** The whole state of a user, so that nothing from before is needed. @param after the last number that the user's events may have had */
  async userAsOfNow(user: User, after: number, change: Change): Promise<void> {
    await this.#outbox.add(change, userEvents.userCreated, createdData(user), { restart: { after } })
    if (user.roles.length !== 1) await this.userRolesChanged(user, change)
  }

  userUpdated(user: User, change: Change): Promise<void> {
    return this.#outbox.add(change, userEvents.userUpdated, updatedData(user))
  }

  userRolesChanged({ id: userId, roles }: User, change: Change): Promise<void> {
    return this.#outbox.add(change, userEvents.userRolesChanged, { userId, roles: roles.map(({ code }) => code) })
  }

  sessionRevoked(session: { readonly sessionId: string; readonly userId: string }, change: Change): Promise<void> {
    return this.#outbox.add(change, sessionEvents.sessionRevoked, session)
  }

  apiKeyRevoked(apiKeyId: string, change: Change): Promise<void> {
    return this.#outbox.add(change, apiKeyEvents.apiKeyRevoked, { apiKeyId })
  }
}

function updatedData(user: User) {
  const { id: userId, ...profile } = publicProfileOf(user)
  return { userId, ...profile }
}

function createdData(user: User) {
  return { ...updatedData(user), email: user.email, role: user.roles[0]?.code ?? 'LEARNER' }
}
