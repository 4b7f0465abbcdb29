import { type Config, ConfigError, gatewayDoor as doorOf, loadConfig, secret, serviceEnv } from 'tsmicro/config'
import Type from 'typebox'

const { VERIFY_SECRET: _unused, ...common } = serviceEnv

/** The environment of the blog service; `.env.example` is made from it. */
export const Env = Type.Object({
  ...common,
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8002, description: 'HTTP port; 0 = any free one' }),
  NATS_URL: secret(
    Type.String({
      pattern: '^(nats|tls)://',
      description:
        'NATS servers, separated by commas: nats://user:password@host:4222; takes creds, nkey, tlsca, tlscert and tlskey,\nas the nats CLI does',
    }),
  ),
  MONGODB_URL: secret(
    Type.String({
      pattern: '^mongodb(\\+srv)?://',
      description: 'MongoDB: mongodb://user:password@host:27017, with the parameters of its driver',
    }),
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
  AUTH_LEASE_MS: Type.Integer({
    minimum: 0,
    maximum: 900,
    default: 800,
    description:
      'The longest time for which a session that has ended, or a role that was taken, is accepted while the auth service\ncannot be asked; 0 = it is asked about each request',
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
          'Redis for cached reads that the instances share: redis://user:password@host:6379, or rediss:// with cacert, cert and key.\nWithout it, or while it is down, each instance caches in its own memory',
      }),
    ),
  ),
  CACHE_MAX_MEGABYTES: Type.Integer({
    minimum: 1,
    maximum: 4096,
    default: 64,
    description: 'Memory for cached reads, in MiB; the least recently used are evicted first',
  }),
  COVERS_DIR: Type.String({
    minLength: 1,
    default: '.data/covers',
    description: 'Folder of the uploaded covers, which all instances must share; made with the first one',
  }),
  COVERS_S3_ENDPOINT: Type.Optional(
    Type.String({
      pattern: '^https?://[^/?#]+/?$',
      description: 'A server that speaks S3, instead of COVERS_DIR: https://s3.example.com; needs the next three',
    }),
  ),
  COVERS_S3_BUCKET: Type.Optional(
    Type.String({
      pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
      description: 'Bucket of the covers, not a public one',
    }),
  ),
  COVERS_S3_KEY_ID: Type.Optional(secret(Type.String({ minLength: 1, description: 'Access key id of S3' }))),
  COVERS_S3_SECRET_KEY: Type.Optional(secret(Type.String({ minLength: 1, description: 'Secret access key of S3' }))),
  COVERS_S3_REGION: Type.String({ minLength: 1, default: 'us-east-1', description: 'Region of the bucket' }),
})

export type Env = Config<typeof Env>

/**
 * Reads the environment.
 * @throws {ConfigError} naming everything that is missing or wrong
 */
export function loadEnv(environment: Readonly<Record<string, string | undefined>> = process.env): Env {
  const env = loadConfig(Env, environment)
  gatewayDoor(env)
  s3Of(env)
  return env
}

/** What requests have to prove. @throws {ConfigError} if the secret for it is missing */
export const gatewayDoor = (env: Env) => doorOf(env, ['GATEWAY_SECRET'])

/** Where covers are stored; undefined = in COVERS_DIR. @throws {ConfigError} if only a part of it is set */
export function s3Of(env: Env) {
  const { COVERS_S3_ENDPOINT: endpoint, COVERS_S3_BUCKET: bucket, COVERS_S3_REGION: region } = env
  const { COVERS_S3_KEY_ID: accessKeyId, COVERS_S3_SECRET_KEY: secretAccessKey } = env
  const missing = S3_VARIABLES.filter(variable => env[variable] === undefined)
  if (missing.length === S3_VARIABLES.length) return undefined
  if (endpoint !== undefined && bucket !== undefined && accessKeyId !== undefined && secretAccessKey !== undefined)
    return { endpoint, bucket, region, accessKeyId, secretAccessKey }
  throw new ConfigError(
    missing.map(variable => ({ variable, message: `is missing: set all of ${S3_VARIABLES.join(', ')}, or none` })),
  )
}

const S3_VARIABLES = ['COVERS_S3_ENDPOINT', 'COVERS_S3_BUCKET', 'COVERS_S3_KEY_ID', 'COVERS_S3_SECRET_KEY'] as const
