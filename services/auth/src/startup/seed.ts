import { EMAIL_TAKEN } from '@blog-platform/auth-contract'
import type { PasswordHasher } from 'tsmicro/auth'
import type { ApiKeyRepository } from '../api/api-key/repository.ts'
import type { UserRepository } from '../api/user/repository.ts'
import type { RunInTransaction } from '../database/connection.ts'
import { DEMO_ADMIN, DEMO_API_KEY } from './demo.ts'

export interface SeedParts {
  readonly apiKeys: ApiKeyRepository
  readonly users: UserRepository
  readonly passwords: PasswordHasher
  readonly transaction: RunInTransaction
}

/** Makes the demo API key and administrator where they are missing. Changes nothing that is there. */
export async function seedDevelopmentData({ apiKeys, users, passwords, transaction }: SeedParts): Promise<void> {
  await apiKeys.create({ key: DEMO_API_KEY, comment: 'demo key for development', permissions: ['READ', 'WRITE'] })
  const { email, password, name } = DEMO_ADMIN
  if (await users.findCredentials(email)) return
  const passwordHash = await passwords.hash(password)
  await transaction(db => users.create({ email, passwordHash, name, role: 'ADMIN' }, db)).catch(error => {
    // Another instance that starts at the same time was faster.
    if (!(error instanceof EMAIL_TAKEN)) throw error
  })
}
