import { join } from 'node:path'
import { Env as AuthEnv } from '@blog-platform/auth-service/env'
import { Env as BlogEnv } from '@blog-platform/blog-service/env'
import { databaseUrl, defineSystem, keptSecret, type System, type SystemConfig } from '@tsmicro/cli'
import { natsAuthorization } from 'tsmicro/contract'
import natsUsers from './deploy/nats/permissions.json' with { type: 'json' }

/** What shows the services that a request came through the gateway, made on the first start. */
const gatewaySecret = ({ dataDir }: System) => ({ GATEWAY_SECRET: keptSecret(dataDir, 'gateway') })
const verifySecret = ({ dataDir }: System) => ({ VERIFY_SECRET: keptSecret(dataDir, 'verify') })

// Loaded only for `npm start`, and while other processes are starting.
const loadStreams = () => import('./deploy/nats/create-streams.ts')
const loadDemo = () => import('@blog-platform/auth-service/shown-demo')

/** What works of the demo data, asked once everything is ready. */
let shown: ReturnType<typeof import('@blog-platform/auth-service/shown-demo').shownDemo> | undefined
async function demo({ postgres }: System) {
  shown ??= loadDemo().then(({ shownDemo }) => shownDemo(postgres.url))
  return shown
}

/** The reference platform as `npm start` runs it: see kong/kong.yml for what the gateway makes public. */
const system: SystemConfig = defineSystem({
  infra: ['nats', 'postgres', 'documents'],
  optionalInfra: ['redis'],
  nats: {
    users: natsUsers.map(({ user }) => user),
    operator: 'operator',
    observer: 'observer',
    authorization(passwordOf) {
      void loadStreams()
      return natsAuthorization(natsUsers, passwordOf)
    },
  },
  async prepare(system) {
    const { createAllStreams } = await loadStreams()
    await createAllStreams(system.natsAs('streams').url)
  },
  services: {
    auth: {
      entry: 'services/auth/src/main.ts',
      contract: 'contracts/auth/src/index.ts',
      recorded: 'contracts/auth/recorded.json',
      port: 8001,
      passEnv: Object.keys(AuthEnv.properties),
      env: system => ({
        NATS_URL: system.natsAs('auth').url,
        DATABASE_URL: system.postgres.url,
        KEYS_DIR: join(system.dataDir, 'keys'),
        SEED_DEVELOPMENT_DATA: 'true',
        REQUIRE_GATEWAY: 'true',
        ...gatewaySecret(system),
        ...verifySecret(system),
      }),
    },
    blog: {
      entry: 'services/blog/src/main.ts',
      contract: 'contracts/blog/src/index.ts',
      recorded: 'contracts/blog/recorded.json',
      port: 8002,
      passEnv: Object.keys(BlogEnv.properties),
      env: system => ({
        NATS_URL: system.natsAs('blog').url,
        MONGODB_URL: databaseUrl(system.documents.url, 'blog'),
        COVERS_DIR: join(system.dataDir, 'covers'),
        REQUIRE_GATEWAY: 'true',
        ...gatewaySecret(system),
        ...(system.redis ? { REDIS_URL: system.redis.url } : {}),
      }),
    },
  },
  gateway: {
    entry: 'packages/gateway/src/main.ts',
    config: 'kong/kong.yml',
    loadBalancedConfig: 'kong/kong-load-balanced.yml',
    env(system) {
      void loadDemo()
      return { NATS_URL: system.natsAs('gateway').url, ...gatewaySecret(system), ...verifySecret(system) }
    },
  },
  explorer: { signIn: { procedure: 'auth.signIn', token: 'tokens.accessToken' } },
  generators: ['tools/generated.ts'],
  commands: {
    bootstrap: {
      entry: 'services/auth/src/bootstrap.ts',
      description: 'makes the first administrator and API key of a production database',
    },
    streams: {
      entry: 'deploy/nats/create-streams.ts',
      description: 'creates the streams of all services on the server in NATS_URL',
    },
    keys: {
      entry: 'services/auth/src/keys.ts',
      description: 'makes, lists and withdraws the keys that sign tokens',
    },
  },
  summary: async system => (await demo(system)).rows,
  sample: async system => `curl -H 'x-api-key: ${(await demo(system)).apiKey}' ${system.gateway.url}/blog/list/latest`,
})

/** @public it is read by its path */
export default system
