import { apiKeyEvents, roles, sessionEvents, userEvents } from '@blog-platform/auth-contract'
import {
  createOutbox,
  createService,
  currentContext,
  type Log,
  type Module,
  NatsClient,
  type Outbox,
  type Service,
} from 'tsmicro'
import {
  createPasswordHasher,
  createRoleAuthorization,
  createTokenAuthentication,
  createTokenSigner,
  createTokenVerifier,
  type PasswordHasher,
} from 'tsmicro/auth'
import { createPostgres, type Postgres } from 'tsmicro/postgres'
import { Announcements } from '../api/announcements.ts'
import { apiKeyHandlers } from '../api/api-key/handlers.ts'
import { ApiKeyRepository } from '../api/api-key/repository.ts'
import { ApiKeyService } from '../api/api-key/service.ts'
import { sessionHandlers } from '../api/session/handlers.ts'
import { SessionRepository } from '../api/session/repository.ts'
import { RequestClock } from '../api/session/request-clock.ts'
import { SessionService } from '../api/session/service.ts'
import { SignInService } from '../api/session/sign-in.ts'
import { ownTokensOnly, TokenPairs } from '../api/session/tokens.ts'
import { SignInThrottleRepository } from '../api/sign-in-throttle/repository.ts'
import { SignInThrottle } from '../api/sign-in-throttle/throttle.ts'
import { signingKeyHandlers } from '../api/signing-key/handlers.ts'
import { userHandlers } from '../api/user/handlers.ts'
import { accountOf } from '../api/user/model.ts'
import { UserRepository } from '../api/user/repository.ts'
import { UserService } from '../api/user/service.ts'
import { validationHandlers } from '../api/validation/handlers.ts'
import { AccessChangeRepository } from '../api/validation/repository.ts'
import { ValidationService } from '../api/validation/service.ts'
import { type Change, MIGRATIONS, type RunInTransaction, type Tables } from '../database.ts'
import { type Env, gatewayDoor, sessionLimits, signInLimits } from '../env.ts'
import { announcingUsers } from './announcing-users.ts'
import { refuseDemo, seedDemo } from './demo.ts'
import { FormerUsers } from './former-users.ts'
import { createSigningKeys, signingKeysDependency } from './signing-keys.ts'

/** What a test may replace. */
export interface Parts {
  readonly postgres: Postgres<Tables>
  readonly nats: NatsClient
  readonly passwords: PasswordHasher
  readonly outbox: Outbox<Change>
}

/** Wires the auth service: connections → repositories → services → handlers. Nothing is connected or read yet. */
function createModule(env: Env, log: Log, overrides: Partial<Parts>): Module {
  const postgres =
    overrides.postgres ??
    createPostgres<Tables>({
      url: env.DATABASE_URL,
      pooler: env.DATABASE_POOLER,
      applicationName: 'auth',
      // A statement that nobody waits for should not keep its connection.
      statementTimeoutMs: env.REQUEST_TIMEOUT_MS,
      currentSignal: () => currentContext()?.deadline,
      log,
    })
  const nats = overrides.nats ?? new NatsClient({ url: env.NATS_URL, name: 'auth', log })
  const passwords = overrides.passwords ?? createPasswordHasher()
  const transaction: RunInTransaction = work => postgres.transaction(work)

  const outbox = overrides.outbox ?? createOutbox(postgres.outboxStore())
  const announcements = new Announcements(outbox)
  const users = new UserRepository(postgres.db, announcements)
  const formerUsers = new FormerUsers(users, transaction, log)
  const sessionRows = new SessionRepository(postgres.db, sessionLimits(env), announcements)
  const apiKeys = new ApiKeyRepository(postgres.db, announcements)

  const jwt = { issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE }
  const keys = createSigningKeys(env, log, postgres)
  const verifier = ownTokensOnly(createTokenVerifier({ ...jwt, keys }))
  const lifetimes = { access: env.ACCESS_TOKEN_SECONDS, refresh: env.REFRESH_TOKEN_SECONDS }
  const pairs = new TokenPairs(createTokenSigner({ ...jwt, keyRing: keys }), lifetimes)

  const clock = RequestClock.ofProcess()
  const sessions = new SessionService({ sessions: sessionRows, pairs, verifier, clock, transaction })
  const limits = signInLimits(env)
  const attempts = new SignInThrottleRepository(postgres.db, limits.windowSeconds)
  const throttle = new SignInThrottle(attempts, limits, transaction)
  const signIn = new SignInService({ users, sessions, passwords, throttle, transaction })
  const validation = new ValidationService({
    verifier,
    sessions,
    users,
    changes: new AccessChangeRepository(postgres.db),
  })

  const authentication = createTokenAuthentication({
    verifier,
    confirm: (_token, claims) => validation.principalOf(claims),
  })
  const authorization = createRoleAuthorization({
    hasRole: async (user, { role }) => {
      const held = accountOf(user).roles.map(({ code }) => code)
      return roles.satisfies(held, role)
    },
  })

  return {
    nats,
    handlers: [
      sessionHandlers(signIn, sessions),
      ...userHandlers(new UserService(users, transaction)),
      ...apiKeyHandlers(new ApiKeyService(apiKeys, transaction)),
      validationHandlers(validation, keys),
      signingKeyHandlers(keys, { activationSeconds: env.KEY_ACTIVATION_SECONDS }),
    ],
    publishes: [userEvents, sessionEvents, apiKeyEvents],
    outboxes: [outbox],
    announces: { user: announcingUsers(users, transaction) },
    authentication,
    authorization,
    dependencies: [postgres, signingKeysDependency(keys), formerUsers],
    prepare: [
      { name: 'migrations', run: async () => void (await postgres.migrate(MIGRATIONS)) },
      { name: 'signing keys', run: () => keys.start() },
      { name: 'announcements of users', run: async () => formerUsers.start() },
      ...(env.NODE_ENV === 'production'
        ? [{ name: 'the check for development secrets', run: () => refuseDemo({ apiKeys, users, passwords }) }]
        : []),
      ...(env.SEED_DEVELOPMENT_DATA
        ? [{ name: 'development data', run: () => seedDemo({ apiKeys, users, passwords }, transaction) }]
        : []),
    ],
  }
}

/** Creates the auth service without starting it. */
export function createAuthService(env: Env, log: Log, overrides: Partial<Parts> = {}): Service {
  const gateway = gatewayDoor(env)
  return createService({
    name: 'auth',
    version: '0.1.0',
    description: 'Accounts, sessions, roles and API keys',
    license: 'MIT',
    module: createModule(env, log, overrides),
    log,
    handlerTimeoutMs: env.REQUEST_TIMEOUT_MS,
    http: {
      host: env.HOST,
      port: env.PORT,
      publicPath: '/auth',
      trustedProxies: env.TRUSTED_PROXIES,
      ...(gateway ? { gateway } : {}),
    },
  })
}
