import { createOutbox } from 'tsmicro'
import { createPasswordHasher } from 'tsmicro/auth'
import { Announcements } from '../../api/announcements.ts'
import { ApiKeyRepository } from '../../api/api-key/repository.ts'
import { UserRepository } from '../../api/user/repository.ts'
import { acceptedDemo, DEMO_ADMIN, DEMO_API_KEY } from '../demo.ts'
import { withDatabase } from './program.ts'

interface Shown {
  readonly rows: readonly (readonly [label: string, value: string])[]
  /** For commands to try: the demo key, or a place for another one. */
  readonly apiKey: string
}

/** What `npm start` shows of the demo credentials: only what the auth service's database would accept. */
export function shownDemo(databaseUrl: string): Promise<Shown> {
  return withDatabase({ DATABASE_URL: databaseUrl }, 'auth-demo', async postgres => {
    const announcements = new Announcements(createOutbox(postgres.outboxStore()))
    const accepted = await acceptedDemo({
      apiKeys: new ApiKeyRepository(postgres.db, announcements),
      users: new UserRepository(postgres.db, announcements),
      passwords: createPasswordHasher(),
    })
    const { email, password } = DEMO_ADMIN
    const key = accepted.apiKey
      ? DEMO_API_KEY
      : 'the demo key is revoked: use another one, or empty data (npm start -- --fresh)'
    const admin = accepted.admin ? `${email} / ${password}` : `${email} has another password now, or is closed`
    return {
      rows: [
        ['API key', key],
        ['Administrator', admin],
      ],
      apiKey: accepted.apiKey ? DEMO_API_KEY : '<your API key>',
    }
  })
}
