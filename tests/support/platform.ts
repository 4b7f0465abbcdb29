import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEMO_API_KEY } from '@blog-platform/auth-service/demo'
import { freePort, type Server, startDocuments, startNats, startPostgres } from '@tsmicro/infra'
import { natsUrlFor, writeNatsUsers } from './nats-users.ts'
import { Program } from './program.ts'

/** The whole platform on disposable servers: every part a process that a test may end, freeze or start again. */
export interface Platform extends AsyncDisposable {
  readonly url: string
  readonly apiKey: string
  readonly nats: Server
  readonly postgres: Server
  readonly documents: Server
  readonly auth: Program
  readonly blog: Program
  readonly gateway: Program
  readonly authUrl: string
  readonly blogUrl: string
}

export async function startPlatform(env: Readonly<Record<string, string>> = {}): Promise<Platform> {
  const resources = new AsyncDisposableStack()
  try {
    const directory = await mkdtemp(join(tmpdir(), 'tsmicro-platform-'))
    resources.defer(() => rm(directory, { recursive: true, force: true }))
    const extraArgs = ['-c', await writeNatsUsers(directory)]
    const [nats, postgres, documents] = await Promise.all([
      startNats({ ephemeral: true, extraArgs }).then(server => resources.use(server)),
      startPostgres({ ephemeral: true }).then(server => resources.use(server)),
      startDocuments({ ephemeral: true }).then(server => resources.use(server)),
    ])
    const [authPort, blogPort, gatewayPort] = [await freePort(), await freePort(), await freePort()]
    const authUrl = `http://127.0.0.1:${authPort}`
    const blogUrl = `http://127.0.0.1:${blogPort}`
    const url = `http://127.0.0.1:${gatewayPort}`
    const auth = resources.use(
      new Program({
        entry: 'services/auth/src/main.ts',
        readyUrl: `${authUrl}/health/ready`,
        env: {
          PORT: String(authPort),
          NATS_URL: natsUrlFor('auth', nats.url),
          DATABASE_URL: postgres.url,
          KEYS_DIR: join(directory, 'keys'),
          SEED_DEVELOPMENT_DATA: 'true',
          ...env,
        },
      }),
    )
    const blog = resources.use(
      new Program({
        entry: 'services/blog/src/main.ts',
        readyUrl: `${blogUrl}/health/ready`,
        env: {
          PORT: String(blogPort),
          NATS_URL: natsUrlFor('blog', nats.url),
          MONGODB_URL: `${documents.url}/blog`,
          ...env,
        },
      }),
    )
    const resolve = [`auth:8001=127.0.0.1:${authPort}`, `blog:8002=127.0.0.1:${blogPort}`]
    const gateway = resources.use(
      new Program({
        entry: 'packages/gateway/src/main.ts',
        args: [
          '--config',
          'kong/kong.yml',
          '--port',
          String(gatewayPort),
          ...resolve.flatMap(each => ['--resolve', each]),
        ],
        readyUrl: `${url}/auth/health`,
        env: {},
      }),
    )
    await Promise.all([auth.start(), blog.start()])
    await gateway.start()
    return {
      url,
      apiKey: DEMO_API_KEY,
      nats,
      postgres,
      documents,
      auth,
      blog,
      gateway,
      authUrl,
      blogUrl,
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    }
  } catch (error) {
    await resources.disposeAsync()
    throw error
  }
}
