import type { PasswordHasher } from 'tsmicro/auth'
import type { ApiKeyRepository } from '../api/api-key/repository.ts'
import type { UserRepository } from '../api/user/repository.ts'
import { DEMO_ADMIN, DEMO_API_KEY } from './demo.ts'

export interface SecretsCheckParts {
  readonly apiKeys: ApiKeyRepository
  readonly users: UserRepository
  readonly passwords: PasswordHasher
}

/** @throws {Error} when the demo API key or the demo administrator's password of development would let somebody in */
export async function refuseDevelopmentSecrets({ apiKeys, users, passwords }: SecretsCheckParts): Promise<void> {
  const found: string[] = []
  if (await apiKeys.findGood(DEMO_API_KEY)) found.push('the demo API key')
  const admin = await users.findCredentials(DEMO_ADMIN.email)
  if (admin && (await passwords.verify(admin.passwordHash, DEMO_ADMIN.password))) {
    found.push(`the account ${DEMO_ADMIN.email} with the demo password`)
  }
  if (found.length === 0) return
  throw new Error(
    `the database holds ${found.join(' and ')}, which everybody knows: start with an empty database and tsmicro bootstrap (services/auth/src/bootstrap.ts), or remove them as services/auth/README.md says`,
  )
}
