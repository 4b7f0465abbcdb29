import { type Dependency, type Log, StartError } from 'tsmicro'
import { RotatingKeyRing } from 'tsmicro/auth'
import { SigningKeyRepository } from '../api/signing-key/repository.ts'
import type { Connection, RunInTransaction } from '../database.ts'
import type { Env } from '../env.ts'

/** Covers differences between clocks, and the time between the last check of a key's file and the last token it signs. */
const MARGIN_SECONDS = 60

export interface SigningKeysParts {
  readonly env: Env
  readonly log: Log
  readonly db: Connection
  readonly transaction: RunInTransaction
}

/** Loads the keys of KEYS_DIR without publishing them. @throws {StartError} if none is usable and none may be created */
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

/** Stops watching the keys before the database is closed. An instance without a key that may sign is not ready. */
export function signingKeysDependency(keys: RotatingKeyRing): Dependency {
  return {
    name: 'signing keys',
    // They are published later, when the tables exist.
    connect: async () => {},
    check: async () => void keys.current,
    close: () => keys.stop(),
  }
}
