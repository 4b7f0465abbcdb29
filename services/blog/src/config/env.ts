import type { GatewayDoor } from 'tsmicro'
import { type Config, ConfigError, loadConfig, secret } from 'tsmicro/config'
import Type from 'typebox'

/** The environment of the blog service; `.env.example` is made from it. */
export const EnvSchema = Type.Object({
  NODE_ENV: Type.Union([Type.Literal('production'), Type.Literal('development'), Type.Literal('test')], {
    default: 'production',
    description: 'In production, a NATS or MongoDB address without credentials is warned of at start',
  }),
  HOST: Type.String({
    minLength: 1,
    default: '127.0.0.1',
    description: 'Address to listen on; 0.0.0.0 in a container',
  }),
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8002, description: 'HTTP port; 0 takes any free one' }),
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
  NATS_URL: secret(
    Type.String({
      pattern: '^(nats|tls)://',
      description: 'NATS servers, separated by commas: nats://user:password@host:4222',
    }),
  ),
  MONGODB_URL: secret(
    Type.String({ pattern: '^mongodb(\\+srv)?://', description: 'MongoDB: mongodb://user:password@host:27017' }),
  ),
  MONGODB_DATABASE: Type.String({
    pattern: '^[A-Za-z0-9_-]{1,63}$',
    default: 'blog',
    description: 'Database within MongoDB',
  }),
  JWT_ISSUER: Type.String({
    minLength: 1,
    default: 'https://auth.tsmicro.dev',
    description: 'Who issues access tokens: the same as in the auth service',
  }),
  JWT_AUDIENCE: Type.String({
    minLength: 1,
    default: 'tsmicro',
    description: 'Whom access tokens are for: the same as in the auth service',
  }),
  JWT_KEYS_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 60,
    description:
      'How often the public keys of the auth service are fetched anew in the background;\nwell below its KEY_ACTIVATION_SECONDS, so that a key is known here before it signs',
  }),
  CACHE_TTL_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 60,
    description: 'How long a public read is kept. A change ends it before it is answered, in every instance',
  }),
  CACHE_LEASE_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 5,
    default: 3,
    description:
      'The longest that a publication, and whatever else changes a public read, waits for an instance that hangs;\nshorter means more small writes to MongoDB: three in this time',
  }),
  REDIS_URL: Type.Optional(
    secret(
      Type.String({
        pattern: '^rediss?://',
        description:
          'Redis for cached reads that the instances share: redis://user:password@host:6379.\nWithout it, or while it is down, each instance has its own in memory',
      }),
    ),
  ),
  CACHE_MAX_MEGABYTES: Type.Integer({
    minimum: 1,
    maximum: 4096,
    default: 64,
    description: 'Memory for cached reads, in MiB; the least recently used go first',
  }),
  LOG_LEVEL: Type.Union(
    [Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error'), Type.Literal('silent')],
    { default: 'info', description: 'Least severe level that is logged' },
  ),
})

export type Env = Config<typeof EnvSchema>

/**
 * Reads the environment.
 * @throws {ConfigError} naming everything that is missing or wrong
 */
export function loadEnv(environment: Readonly<Record<string, string | undefined>> = process.env): Env {
  const env = loadConfig(EnvSchema, environment)
  gatewayDoor(env)
  return env
}

/**
 * What requests have to prove; undefined = nothing. A secret that is given counts also where the gateway is not required.
 * @throws {ConfigError} when the secret for it is missing
 */
export function gatewayDoor(env: Env): GatewayDoor | undefined {
  const required = env.REQUIRE_GATEWAY ?? env.NODE_ENV === 'production'
  const { GATEWAY_SECRET: secret } = env
  if (secret !== undefined) return required ? { secret } : { secret, required }
  if (!required) return undefined
  const message =
    'is missing: give it here and to the gateway, or say REQUIRE_GATEWAY=false and close the port to others'
  throw new ConfigError([{ variable: 'GATEWAY_SECRET', message }])
}
