import type { ApiKeyPermission, RoleName } from '@blog-platform/auth-contract'
import type { ColumnType, Generated, Kysely, Transaction } from 'kysely'

/** The directory of the SQL files that create the tables. */
export const MIGRATIONS = new URL('../migrations/', import.meta.url)

/** A transaction, in which its changes are announced. */
export type Change = Transaction<Tables>

/** Where a query runs: on its own, or as part of a transaction. */
export type Connection = Kysely<Tables> | Change

/** Runs work in one transaction. */
export type RunInTransaction = <T>(work: (change: Change) => Promise<T>) => Promise<T>

type Timestamp = ColumnType<Date, Date | string, Date | string>
type DefaultTimestamp = ColumnType<Date, Date | string | undefined, Date | string>

interface UsersTable {
  id: string
  email: string
  password_hash: string
  name: string
  profile_pic_url: string | null
  verified: Generated<boolean>
  status: Generated<boolean>
  /** Counted by instances from before the outbox. */
  version: Generated<number>
  announced_version: ColumnType<number | null, number | undefined, number>
  created_at: DefaultTimestamp
  updated_at: DefaultTimestamp
}

interface RolesTable {
  id: Generated<string>
  code: RoleName
}

interface UserRolesTable {
  user_id: string
  role_id: string
}

export interface SessionsTable {
  id: string
  user_id: string
  access_id: string
  refresh_id: string
  previous_refresh_id: string | null
  issued_at: Timestamp
  expires_at: Timestamp
  revoked_at: Timestamp | null
  created_at: DefaultTimestamp
  answered_ms: ColumnType<number | null, number | null | undefined, number | null>
  issuer_ahead_seconds: Generated<number>
}

export interface ApiKeysTable {
  id: Generated<string>
  key_hash: Buffer
  comment: string
  permissions: Generated<ApiKeyPermission[]>
  expires_at: Timestamp | null
  revoked_at: Timestamp | null
  created_at: DefaultTimestamp
}

interface SignInAttemptsTable {
  key: Buffer
  count: number
  ends_at: Timestamp
}

interface SignInPlacesTable {
  user_id: string
  place: Buffer
  used_at: DefaultTimestamp
}

export interface SigningKeysTable {
  kid: string
  number: Generated<string>
  modulus: string
  exponent: string
  published_at: Timestamp
  signs_from: Timestamp
  good_until: Timestamp
  withdrawn_at: Timestamp | null
}

interface AccessPositionTable {
  number: Generated<string>
  mark: Generated<string>
}

/** Written by triggers alone. */
interface AccessChangesTable extends AccessPositionTable {
  kind: Generated<string>
  id: Generated<string>
}

/** The tables as the migrations create them. */
export interface Tables {
  users: UsersTable
  roles: RolesTable
  user_roles: UserRolesTable
  sessions: SessionsTable
  api_keys: ApiKeysTable
  sign_in_attempts: SignInAttemptsTable
  sign_in_places: SignInPlacesTable
  signing_keys: SigningKeysTable
  access_position: AccessPositionTable
  access_changes: AccessChangesTable
}
