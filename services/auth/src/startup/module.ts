import { apiKeyEvents, userEvents } from '@blog-platform/auth-contract'
import { createPublisher, currentContext, type Log, type Module, NatsClient } from 'tsmicro'
import {
  createPasswordHasher,
  createRoleAuthorization,
  createTokenAuthentication,
  createTokenSigner,
  createTokenVerifier,
  type PasswordHasher,
} from 'tsmicro/auth'
import { createPostgres, type Postgres } from 'tsmicro/postgres'
import { administrationHandlers } from '../api/administration/handlers.ts'
import { AdministrationService } from '../api/administration/service.ts'
import { ApiKeyAnnouncements } from '../api/api-key/announcements.ts'
import { apiKeyAdministrationHandlers, apiKeyVerificationHandlers } from '../api/api-key/handlers.ts'
import { ApiKeyRepository } from '../api/api-key/repository.ts'
import { ApiKeyAdministrationService } from '../api/api-key/service.ts'
import { keysHandlers } from '../api/keys/handlers.ts'
import { profileHandlers } from '../api/profile/handlers.ts'
import { ProfileService } from '../api/profile/service.ts'
import { Arrivals } from '../api/session/arrivals.ts'
import { sessionHandlers } from '../api/session/handlers.ts'
import { ownTokensOnly } from '../api/session/own-tokens.ts'
import { SessionRepository } from '../api/session/repository.ts'
import { SessionService } from '../api/session/service.ts'
import { SignInService } from '../api/session/sign-in.ts'
import { TokenPairs } from '../api/session/token-pair.ts'
import { SignInPlaceRepository } from '../api/sign-in-throttle/place-repository.ts'
import { SignInCountRepository } from '../api/sign-in-throttle/repository.ts'
import { SignInThrottle } from '../api/sign-in-throttle/throttle.ts'
import { UserAnnouncements } from '../api/user/announcements.ts'
import { UserRepository } from '../api/user/repository.ts'
import { validationHandlers } from '../api/validation/handlers.ts'
import { ValidationService } from '../api/validation/service.ts'
import { type Env, sessionLimits, signInLimits } from '../config/env.ts'
import type { RunInTransaction } from '../database/connection.ts'
import { MIGRATIONS } from '../database/migrations.ts'
import type { Tables } from '../database/tables.ts'
import { refuseDevelopmentSecrets } from './development-secrets.ts'
import { seedDevelopmentData } from './seed.ts'
import { loadSigningKeys, signingKeysDependency } from './signing-keys.ts'

/** What a test may put in place of the real thing. */
export interface Parts {
  readonly postgres: Postgres<Tables>
  readonly nats: NatsClient
  readonly passwords: PasswordHasher
}

export interface ModuleOptions {
  readonly env: Env
  readonly log: Log
  readonly overrides?: Partial<Parts>
}

/**
 * Wires the auth service: connections → repositories → services → handlers.
 * @throws {StartError} when there is no usable signing key; only development and test make one
 */
export async function createModule({ env, log, overrides = {} }: ModuleOptions): Promise<Module> {
  const postgres =
    overrides.postgres ??
    createPostgres<Tables>({
      url: env.DATABASE_URL,
      pooler: env.DATABASE_POOLER,
      applicationName: 'auth',
      // A statement that nobody waits for any more should not keep its connection.
      statementTimeoutMs: env.REQUEST_TIMEOUT_MS,
      currentSignal: () => currentContext()?.deadline.signal,
      log,
    })
  const nats = overrides.nats ?? new NatsClient({ url: env.NATS_URL, name: 'auth', log })
  const passwords = overrides.passwords ?? createPasswordHasher()
  const transaction: RunInTransaction = work => postgres.transaction(work)

  const users = new UserRepository(postgres.db)
  const sessionRows = new SessionRepository(postgres.db, sessionLimits(env))
  const apiKeys = new ApiKeyRepository(postgres.db)

  const jwt = { issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE }
  const keys = await loadSigningKeys({ env, log, db: postgres.db, transaction })
  const verifier = ownTokensOnly(createTokenVerifier({ ...jwt, keys }))
  const lives = { accessSeconds: env.ACCESS_TOKEN_SECONDS, refreshSeconds: env.REFRESH_TOKEN_SECONDS }
  const pairs = new TokenPairs(createTokenSigner({ ...jwt, keyRing: keys }), lives)

  const publisher = createPublisher(nats, 'auth')
  const announcements = new UserAnnouncements(publisher, log)
  const apiKeyAnnouncements = new ApiKeyAnnouncements(publisher, log)
  const arrivals = Arrivals.ofProcess()
  const sessions = new SessionService({ sessions: sessionRows, pairs, verifier, arrivals })
  const limits = signInLimits(env)
  const counts = new SignInCountRepository(postgres.db, limits.windowSeconds)
  const places = new SignInPlaceRepository(postgres.db)
  const throttle = new SignInThrottle({ counts, places, limits, transaction })
  const signIn = new SignInService({ users, sessions, passwords, throttle, announcements, transaction })
  const validation = new ValidationService({ verifier, sessions, users })

  const authentication = createTokenAuthentication({ verifier, confirm: (_token, claims) => validation.userOf(claims) })
  const authorization = createRoleAuthorization({
    hasRole: async (user, { role }) => validation.hasRole(user.id, role),
  })

  return {
    nats,
    handlers: [
      sessionHandlers(signIn, sessions),
      profileHandlers(new ProfileService(users, announcements)),
      administrationHandlers(new AdministrationService(users, transaction)),
      apiKeyAdministrationHandlers(new ApiKeyAdministrationService(apiKeys, apiKeyAnnouncements, transaction)),
      apiKeyVerificationHandlers(apiKeys),
      validationHandlers(validation, keys),
      keysHandlers(keys),
    ],
    publishes: [userEvents, apiKeyEvents],
    authentication,
    authorization,
    dependencies: [postgres, signingKeysDependency(keys)],
    prepare: [
      { name: 'migrations', run: async () => void (await postgres.migrate(MIGRATIONS)) },
      { name: 'signing keys', run: () => keys.start() },
      ...(env.NODE_ENV === 'production'
        ? [
            {
              name: 'the check for secrets of development',
              run: () => refuseDevelopmentSecrets({ apiKeys, users, passwords }),
            },
          ]
        : []),
      ...(env.SEED_DEVELOPMENT_DATA
        ? [{ name: 'development data', run: () => seedDevelopmentData({ apiKeys, users, passwords, transaction }) }]
        : []),
    ],
  }
}
