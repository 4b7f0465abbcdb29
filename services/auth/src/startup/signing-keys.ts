import { type Dependency, type Log, StartError } from 'tsmicro'
import { KeyDirectory, RotatingKeyRing } from 'tsmicro/auth'
import type { Postgres } from 'tsmicro/postgres'
import { SigningKeyRepository } from '../api/signing-key/repository.ts'
import type { Tables } from '../database.ts'
import type { Env } from '../env.ts'

/** Covers differences between clocks, and the time between the last check of a key's file and the last token it signs. */
const MARGIN_SECONDS = 60

/** Creates the key ring for KEYS_DIR. It reads nothing until it is started. */
export function createSigningKeys(env: Env, log: Log, { db, transaction }: Postgres<Tables>): RotatingKeyRing {
  const publications = new SigningKeyRepository(db, transaction, {
    activationSeconds: env.KEY_ACTIVATION_SECONDS,
    keepSeconds: Math.max(env.ACCESS_TOKEN_SECONDS, env.REFRESH_TOKEN_SECONDS) + MARGIN_SECONDS,
  })
  return new RotatingKeyRing({ ...directoryOf(env), publications, log, checkMs: env.KEYS_CHECK_MS })
}

/**
 * Looks for a signing key before anything is connected, so that a service without one exits at once.
 * @throws {StartError} if there is no usable key; only development and test create one
 */
export async function assertSigningKey(env: Env): Promise<void> {
  const { directory, createIfMissing } = directoryOf(env)
  await new KeyDirectory(directory).load({ createIfMissing }).catch(cause => {
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

function directoryOf({ KEYS_DIR: directory, NODE_ENV }: Env) {
  return { directory, createIfMissing: NODE_ENV !== 'production' }
}
