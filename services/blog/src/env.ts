import { type Config, gatewayDoor as doorOf, loadConfig, secret, serviceEnv } from 'tsmicro/config'
import Type from 'typebox'

const { VERIFY_SECRET: _unused, ...common } = serviceEnv

/** The environment of the blog service; `.env.example` is made from it. */
export const Env = Type.Object({
  ...common,
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8002, description: 'HTTP port; 0 = any free one' }),
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
    description: 'Name of the database in MongoDB',
  }),
  JWT_ISSUER: Type.String({
    minLength: 1,
    default: 'https://auth.tsmicro.dev',
    description: 'The issuer of access tokens, the same as in the auth service',
  }),
  JWT_AUDIENCE: Type.String({
    minLength: 1,
    default: 'tsmicro',
    description: 'The audience of access tokens, the same as in the auth service',
  }),
  JWT_KEYS_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 60,
    description:
      'How often the public keys of the auth service are fetched again in the background;\nwell below its KEY_ACTIVATION_SECONDS, so that a key is known here before it signs',
  }),
  CACHE_TTL_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 60,
    description: 'How long a public read is cached. Before a change is answered, it is dropped in every instance',
  }),
  CACHE_LEASE_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 5,
    default: 3,
    description:
      'The longest time that publishing, or any other change to a public read, waits for an instance that hangs.\nA shorter lease means more small writes to MongoDB: three in this time',
  }),
  REDIS_URL: Type.Optional(
    secret(
      Type.String({
        pattern: '^rediss?://',
        description:
          'Redis for cached reads that the instances share: redis://user:password@host:6379.\nWithout it, or while it is down, each instance caches in its own memory',
      }),
    ),
  ),
  CACHE_MAX_MEGABYTES: Type.Integer({
    minimum: 1,
    maximum: 4096,
    default: 64,
    description: 'Memory for cached reads, in MiB; the least recently used are evicted first',
  }),
})

export type Env = Config<typeof Env>

/**
 * Reads the environment.
 * @throws {ConfigError} naming everything that is missing or wrong
 */
export function loadEnv(environment: Readonly<Record<string, string | undefined>> = process.env): Env {
  const env = loadConfig(Env, environment)
  gatewayDoor(env)
  return env
}

/** What requests have to prove. @throws {ConfigError} if the secret for it is missing */
export const gatewayDoor = (env: Env) => doorOf(env, ['GATEWAY_SECRET'])
