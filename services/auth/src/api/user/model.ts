import type { RoleName } from '@blog-platform/auth-contract'

/** A user with the granted roles. The password hash is not part of it: only signing in reads that. */
export interface User {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly profilePicUrl: string | undefined
  readonly verified: boolean
  /** Counts the changes of this user; the sequence of the events. */
  readonly version: number
  readonly roles: readonly { readonly id: string; readonly code: RoleName }[]
}

export interface NewUser {
  readonly email: string
  readonly passwordHash: string
  readonly name: string
  readonly profilePicUrl?: string | undefined
  readonly role: RoleName
}
