import { EMAIL_TAKEN } from '@blog-platform/auth-contract'
import type { PasswordHasher } from 'tsmicro/auth'
import type { ApiKeyRepository } from '../api/api-key/repository.ts'
import type { UserRepository } from '../api/user/repository.ts'
import type { RunInTransaction } from '../database.ts'

/** Known to everybody who reads the README: for development only. */
export const DEMO_API_KEY = '1D3F2DD1A5DE725DD4DF1D82BBB37'
export const DEMO_ADMIN = { email: 'admin@tsmicro.dev', password: 'changeit', name: 'Admin' }

export interface DemoParts {
  readonly apiKeys: ApiKeyRepository
  readonly users: UserRepository
  readonly passwords: PasswordHasher
}

/** Creates the demo API key and administrator if they are missing. Changes nothing that exists. */
export async function seedDemo({ apiKeys, users, passwords }: DemoParts, transaction: RunInTransaction): Promise<void> {
  await apiKeys.create({ key: DEMO_API_KEY, comment: 'demo key for development', permissions: ['READ', 'WRITE'] })
  const { email, password, name } = DEMO_ADMIN
  if (await users.findCredentials(email)) return
  const passwordHash = await passwords.hash(password)
  await transaction(db => users.create({ email, passwordHash, name, role: 'ADMIN' }, db)).catch(error => {
    // Another instance that is starting at the same time was faster.
    if (!(error instanceof EMAIL_TAKEN)) throw error
  })
}

/** Which of the demo credentials would be accepted. */
export async function acceptedDemo({ apiKeys, users, passwords }: DemoParts) {
  const admin = await users.findCredentials(DEMO_ADMIN.email)
  return {
    apiKey: (await apiKeys.findValid(DEMO_API_KEY)) !== undefined,
    admin: admin !== undefined && (await passwords.verify(admin.passwordHash, DEMO_ADMIN.password)),
  }
}

/** @throws {Error} if the demo API key, or the demo administrator with the demo password, would be accepted */
export async function refuseDemo(parts: DemoParts): Promise<void> {
  const { apiKey, admin } = await acceptedDemo(parts)
  if (!apiKey && !admin) return
  const found = [
    ...(apiKey ? ['the demo API key'] : []),
    ...(admin ? [`the account ${DEMO_ADMIN.email} with the demo password`] : []),
  ]
  throw new Error(
    `the database holds ${found.join(' and ')}, which everybody knows: start with an empty database and tsmicro bootstrap (in an image: node src/bootstrap.ts), or remove them as services/auth/README.md says`,
  )
}
