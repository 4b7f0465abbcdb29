import type { GatewayDoor } from 'tsmicro'
import { type Config, ConfigError, loadConfig, secret } from 'tsmicro/config'
import Type from 'typebox'
import type { SessionLimits } from '../api/session/model.ts'
import type { SignInLimits } from '../api/sign-in-throttle/counters.ts'

/** The environment of the auth service; `.env.example` is made from it. */
export const Env = Type.Object({
  NODE_ENV: Type.Union([Type.Literal('production'), Type.Literal('development'), Type.Literal('test')], {
    default: 'production',
    description: 'Only development and test make keys and data of their own',
  }),
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on' }),
  PORT: Type.Integer({ default: 8001, minimum: 0, maximum: 65_535, description: 'HTTP port; 0 = any free one' }),
  LOG_LEVEL: Type.Union(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map(level => Type.Literal(level)),
    { default: 'info', description: 'Least important level to log' },
  ),
  DATABASE_URL: secret(
    Type.String({
      pattern: '^postgres(ql)?://',
      description:
        'PostgreSQL, postgres://user:password@host:port/name; sslmode, sslrootcert and their likes as in libpq',
    }),
  ),
  DATABASE_POOLER: Type.Optional(
    Type.Literal('transaction', {
      description: 'What DATABASE_URL leads to is a pooler like PgBouncer: nothing is expected of a session',
    }),
  ),
  NATS_URL: secret(Type.String({ pattern: '^(nats|tls)://', description: 'NATS, nats://[user:password@]host:port' })),
  REQUIRE_GATEWAY: Type.Optional(
    Type.Boolean({
      description: 'Take only requests that the gateway has signed; true in production unless set to false',
    }),
  ),
  GATEWAY_SECRET: Type.Optional(
    secret(
      Type.String({
        minLength: 32,
        description: 'What the gateway signs requests with, the same there; needed with REQUIRE_GATEWAY',
      }),
    ),
  ),
  VERIFY_SECRET: Type.Optional(
    secret(
      Type.String({
        minLength: 32,
        description: 'What the gateway shows when it asks about API keys, the same there; needed with REQUIRE_GATEWAY',
      }),
    ),
  ),
  TRUSTED_PROXIES: Type.Array(Type.String(), {
    default: [],
    description:
      'Whose x-real-ip is believed although it is not signed, for counting sign-ins by address: addresses or networks,\n10.0.0.7,fd00::/8. What the gateway has signed is believed anyway; others count by their connection',
  }),
  KEYS_DIR: Type.String({
    minLength: 1,
    description:
      'Directory of the RSA keys that sign tokens, one PKCS8 PEM file each, mode 600; watched while the service runs',
  }),
  KEYS_CHECK_MS: Type.Integer({
    default: 1000,
    minimum: 50,
    maximum: 60_000,
    description:
      'How often KEYS_DIR and the keys of the other instances are looked at; a withdrawn key is refused then',
  }),
  KEY_ACTIVATION_SECONDS: Type.Integer({
    default: 600,
    minimum: 1,
    maximum: 604_800,
    description:
      'How long a new key is published before it signs: longer than any verifier keeps the keys it knows\n(the blog service: JWT_KEYS_SECONDS), and than a new file takes to reach every instance',
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
    description: 'Life of an access token',
  }),
  REFRESH_TOKEN_SECONDS: Type.Integer({
    default: 604_800,
    minimum: 2,
    maximum: 31_536_000,
    description: 'Life of a refresh token',
  }),
  SESSION_MAX_SECONDS: Type.Integer({
    default: 2_592_000,
    minimum: 2,
    maximum: 315_360_000,
    description: 'A session ends so long after signing in, however often it was renewed (default 30 days)',
  }),
  SESSIONS_PER_USER: Type.Integer({
    default: 50,
    minimum: 1,
    maximum: 10_000,
    description: 'Sessions of one user; one more ends the one that was not renewed for the longest time',
  }),
  REQUEST_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 60_000,
    description: 'Longest work on one request, its database statements included; then the caller gets 504',
  }),
  SIGN_IN_WINDOW_SECONDS: Type.Integer({
    default: 600,
    minimum: 1,
    maximum: 86_400,
    description: 'How long failed sign-ins are counted, from the first one on; then the count begins anew',
  }),
  SIGN_IN_ATTEMPTS_PER_ACCOUNT_AND_ADDRESS: Type.Integer({
    default: 10,
    minimum: 1,
    description: 'Failed sign-ins into one account from one address in that time; then 429. A success resets it',
  }),
  SIGN_IN_ATTEMPTS_PER_ACCOUNT: Type.Integer({
    default: 100,
    minimum: 1,
    description:
      'The same from all addresses together, but those where its owner has signed in with the same kind of device',
  }),
  SIGN_IN_ATTEMPTS_PER_ADDRESS: Type.Integer({
    default: 300,
    minimum: 1,
    description: 'The same into all accounts together; many people may share an address',
  }),
  SIGN_UPS_PER_ADDRESS: Type.Integer({
    default: 100,
    minimum: 1,
    description: 'Sign-ups from one address in that time, refused ones among them; then 429',
  }),
  SEED_DEVELOPMENT_DATA: Type.Boolean({
    default: false,
    description: 'Makes the demo API key and administrator; refused in production',
  }),
})
export type Env = Config<typeof Env>

/** @throws {ConfigError} with every problem at once */
export function loadEnv(env: NodeJS.ProcessEnv = process.env): Env {
  const config = loadConfig(Env, env)
  if (config.NODE_ENV === 'production' && config.SEED_DEVELOPMENT_DATA) {
    const message = 'is true, which makes an administrator whose password everybody knows: leave it out in production'
    throw new ConfigError([{ variable: 'SEED_DEVELOPMENT_DATA', message }])
  }
  gatewayDoor(config)
  return config
}

/**
 * What requests have to prove; undefined = nothing. Secrets that are given count also where the gateway is not required.
 * @throws {ConfigError} when a secret for it is missing
 */
export function gatewayDoor(env: Env): GatewayDoor | undefined {
  const { GATEWAY_SECRET: gateway, VERIFY_SECRET: verify } = env
  if (!(env.REQUIRE_GATEWAY ?? env.NODE_ENV === 'production')) {
    if (gateway === undefined) return undefined
    return { secret: gateway, required: false, ...(verify === undefined ? {} : { verifySecret: verify }) }
  }
  if (gateway !== undefined && verify !== undefined) return { secret: gateway, verifySecret: verify }
  const missing = Object.entries({ GATEWAY_SECRET: gateway, VERIFY_SECRET: verify }).filter(([, value]) => !value)
  throw new ConfigError(missing.map(([variable]) => ({ variable, message: MISSING })))
}

const MISSING = 'is missing: give it here and to the gateway, or say REQUIRE_GATEWAY=false and close the port to others'

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
