import { type Config, ConfigError, gatewayDoor as doorOf, loadConfig, secret, serviceEnv } from 'tsmicro/config'
import Type from 'typebox'
import type { SessionLimits } from './api/session/model.ts'
import type { SignInLimits } from './api/sign-in-throttle/counters.ts'

const attempts = (value: number, description: string) => Type.Integer({ default: value, minimum: 1, description })

/** The environment of the auth service; `.env.example` is made from it. */
export const Env = Type.Object({
  ...serviceEnv,
  PORT: Type.Integer({ default: 8001, minimum: 0, maximum: 65_535, description: 'HTTP port; 0 = any free one' }),
  DATABASE_URL: secret(
    Type.String({
      pattern: '^postgres(ql)?://',
      description:
        'PostgreSQL, postgres://user:password@host:port/name; takes sslmode, sslrootcert and the like, as libpq does',
    }),
  ),
  DATABASE_POOLER: Type.Optional(
    Type.Literal('transaction', {
      description: 'Set this if DATABASE_URL leads to a pooler like PgBouncer: no state is then expected of a session',
    }),
  ),
  NATS_URL: secret(
    Type.String({
      pattern: '^(nats|tls)://',
      description:
        'NATS, nats://[user:password@]host:port; takes creds, nkey, tlsca, tlscert and tlskey, as the nats CLI does',
    }),
  ),
  TRUSTED_PROXIES: Type.Array(Type.String(), {
    default: [],
    description:
      'Addresses or networks (10.0.0.7,fd00::/8) whose x-real-ip is trusted without a signature, to count sign-ins by address.\nWhat the gateway has signed is always trusted; other requests count by the address of their connection',
  }),
  KEYS_DIR: Type.String({
    minLength: 1,
    description:
      'Directory of the RSA keys that sign tokens, one PKCS8 PEM file each, mode 600; watched while the service is running',
  }),
  KEYS_CHECK_MS: Type.Integer({
    default: 500,
    minimum: 50,
    maximum: 60_000,
    description:
      'How often KEYS_DIR and the keys of the other instances are checked; after that, a withdrawn key is refused',
  }),
  KEY_ACTIVATION_SECONDS: Type.Integer({
    default: 600,
    minimum: 1,
    maximum: 604_800,
    description:
      'How long a new key is published before it signs: longer than any verifier caches the keys\n(the blog service: JWT_KEYS_SECONDS; others: half of this, 300 at most), and longer than a new file takes to reach every instance',
  }),
  JWT_ISSUER: Type.String({
    default: 'https://auth.tsmicro.dev',
    description: 'iss of tokens; the same in every service',
  }),
  JWT_AUDIENCE: Type.String({ default: 'tsmicro', description: 'aud of tokens; the same in every service' }),
  ACCESS_TOKEN_SECONDS: Type.Integer({
    default: 900,
    minimum: 1,
    maximum: 86_400,
    description: 'Lifetime of an access token',
  }),
  REFRESH_TOKEN_SECONDS: Type.Integer({
    default: 604_800,
    minimum: 2,
    maximum: 31_536_000,
    description: 'Lifetime of a refresh token',
  }),
  SESSION_MAX_SECONDS: Type.Integer({
    default: 2_592_000,
    minimum: 2,
    maximum: 315_360_000,
    description: 'A session ends this long after sign-in, however often it is renewed (default 30 days)',
  }),
  SESSIONS_PER_USER: Type.Integer({
    default: 50,
    minimum: 1,
    maximum: 10_000,
    description: 'Sessions of one user; one more ends the session that has not been renewed for the longest time',
  }),
  SIGN_IN_WINDOW_SECONDS: Type.Integer({
    default: 600,
    minimum: 1,
    maximum: 86_400,
    description: 'How long failed sign-ins are counted, from the first one on; then the count starts again',
  }),
  SIGN_IN_ATTEMPTS_PER_ACCOUNT_AND_ADDRESS: attempts(
    10,
    'Failed sign-ins to one account from one address in that time; then 429. A success resets the count',
  ),
  SIGN_IN_ATTEMPTS_PER_ACCOUNT: attempts(
    100,
    'The same from all addresses together, except those where its owner has signed in with the same kind of device',
  ),
  SIGN_IN_ATTEMPTS_PER_ADDRESS: attempts(300, 'The same to all accounts together; many people may share an address'),
  SIGN_UPS_PER_ADDRESS: attempts(100, 'Sign-ups from one address in that time, including refused ones; then 429'),
  SEED_DEVELOPMENT_DATA: Type.Boolean({
    default: false,
    description: 'Creates the demo API key and administrator; refused in production',
  }),
})
export type Env = Config<typeof Env>

/** @throws {ConfigError} with every problem at once */
export function loadEnv(env: NodeJS.ProcessEnv = process.env): Env {
  const config = loadConfig(Env, env)
  if (config.NODE_ENV === 'production' && config.SEED_DEVELOPMENT_DATA) {
    const message = 'is true, which creates an administrator whose password everybody knows: leave it out in production'
    throw new ConfigError([{ variable: 'SEED_DEVELOPMENT_DATA', message }])
  }
  gatewayDoor(config)
  return config
}

/** What requests have to prove. @throws {ConfigError} if a secret for it is missing */
export const gatewayDoor = (env: Env) => doorOf(env, ['GATEWAY_SECRET', 'VERIFY_SECRET'])

export function signInLimits(env: Env): SignInLimits {
  return {
    windowSeconds: env.SIGN_IN_WINDOW_SECONDS,
    perAccountAndAddress: env.SIGN_IN_ATTEMPTS_PER_ACCOUNT_AND_ADDRESS,
    perAccount: env.SIGN_IN_ATTEMPTS_PER_ACCOUNT,
    perAddress: env.SIGN_IN_ATTEMPTS_PER_ADDRESS,
    signUpsPerAddress: env.SIGN_UPS_PER_ADDRESS,
  }
}

export function sessionLimits(env: Env): SessionLimits {
  return {
    refreshSeconds: env.REFRESH_TOKEN_SECONDS,
    maxSeconds: env.SESSION_MAX_SECONDS,
    perUser: env.SESSIONS_PER_USER,
  }
}
