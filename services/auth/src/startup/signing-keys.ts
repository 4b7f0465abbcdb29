import { type Dependency, type Log, StartError } from 'tsmicro'
import { RotatingKeyRing } from 'tsmicro/auth'
import { SigningKeyRepository } from '../api/keys/repository.ts'
import type { Env } from '../config/env.ts'
import type { Connection, RunInTransaction } from '../database/connection.ts'

/** For clocks that differ, and for the moment between the last look at a key's file and the last token that it signs. */
const MARGIN_SECONDS = 60

export interface SigningKeysParts {
  readonly env: Env
  readonly log: Log
  readonly db: Connection
  readonly transaction: RunInTransaction
}

/** The keys of KEYS_DIR, not yet published. @throws {StartError} when there is no usable one and none may be made */
export function loadSigningKeys({ env, log, db, transaction }: SigningKeysParts): Promise<RotatingKeyRing> {
  const publications = new SigningKeyRepository(db, transaction, {
    activationSeconds: env.KEY_ACTIVATION_SECONDS,
    keepSeconds: Math.max(env.ACCESS_TOKEN_SECONDS, env.REFRESH_TOKEN_SECONDS) + MARGIN_SECONDS,
  })
  const createIfMissing = env.NODE_ENV !== 'production'
  const options = { directory: env.KEYS_DIR, createIfMissing, publications, log, checkMs: env.KEYS_CHECK_MS }
  return RotatingKeyRing.load(options).catch(cause => {
    throw new StartError(`KEYS_DIR: ${(cause as Error).message}`, { cause })
  })
}

/** Ends the watching before the database is closed; an instance without a key that may sign is not ready. */
export function signingKeysDependency(keys: RotatingKeyRing): Dependency {
  return {
    name: 'signing keys',
    // They are published once the tables are there.
    connect: async () => {},
    check: async () => void keys.current,
    close: () => keys.stop(),
  }
}
