import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEMO_API_KEY } from '@blog-platform/auth-service/demo'
import { freePort } from '@tsmicro/infra'
import { type Link, openLink } from './link.ts'
import { natsUrlFor } from './nats-users.ts'
import { Program } from './program.ts'
import { type Servers, startServers } from './servers.ts'
import { shared } from './shared.ts'

/** The whole platform on disposable servers. Every part is a process that a test may stop, freeze or restart. */
export interface Platform extends Servers, AsyncDisposable {
  /** The gateway's. */
  readonly url: string
  readonly apiKey: string
  /** All instances; `auth` is the first. They share databases, keys and NATS. */
  readonly auths: readonly Program[]
  readonly blogs: readonly Program[]
  /** The instances that the gateway forwards to. */
  readonly auth: Program
  readonly blog: Program
  readonly gateway: Program
  /** An instance's way to NATS; undefined without `links`. */
  linkOf(program: Program): Link | undefined
  readonly authUrl: string
  readonly blogUrl: string
}

const CONFIG = new URL('../../kong/kong.yml', import.meta.url)
const PATIENT = { REQUEST_TIMEOUT_MS: '60000', CACHE_LEASE_SECONDS: '5' }

export interface PlatformOptions {
  /** Passed to every service in addition to what it needs. */
  readonly env?: Readonly<Record<string, string>>
  /** Passed to the gateway. */
  readonly gatewayEnv?: Readonly<Record<string, string>>
  /** Changes the text of the gateway's `kong.yml`. */
  readonly gatewayConfig?: (text: string) => string
  /** Instances of the auth service. Default 1. */
  readonly authReplicas?: number
  /** Instances of the blog service. Default 1. */
  readonly blogReplicas?: number
  /**
   * Whether gateway and services allow a request a minute, so that none fails because the machine is busy. Tests of deadlines and faults
   * need the usual times. Default false.
   */
  readonly patient?: boolean
  /** Whether each instance of a service has a way to NATS of its own, which a test may cut. Default false. */
  readonly links?: boolean
  /** Whether the blog service gets a Redis, if one is installed: see `noRedis`. Default false. */
  readonly redis?: boolean
}

export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const {
    env = {},
    gatewayEnv = {},
    gatewayConfig = text => text,
    authReplicas = 1,
    blogReplicas = 1,
    patient = false,
    links = false,
    redis = false,
  } = options
  const resources = new AsyncDisposableStack()
  const linked = new Map<Program, Link>()
  try {
    const directory = await mkdtemp(join(tmpdir(), 'tsmicro-platform-'))
    resources.defer(() => rm(directory, { recursive: true, force: true }))
    const servers = await startServers(resources, directory, { redis })

    const service = async (name: 'auth' | 'blog', own: Readonly<Record<string, string>>) => {
      const port = await freePort()
      const link = links ? resources.use(await openLink(servers.nats.url)) : undefined
      const needed = { PORT: String(port), NATS_URL: natsUrlFor(name, link?.url ?? servers.nats.url), ...own }
      const url = `http://127.0.0.1:${port}`
      const program = resources.use(
        new Program({
          entry: `services/${name}/src/main.ts`,
          url,
          env: { ...needed, ...(patient ? PATIENT : {}), ...env },
        }),
      )
      if (link) linked.set(program, link)
      return program
    }
    const auths = await several(authReplicas, () =>
      service('auth', {
        DATABASE_URL: servers.postgres.url,
        KEYS_DIR: join(directory, 'keys'),
        SEED_DEVELOPMENT_DATA: 'true',
        // All users of a test come from one address.
        SIGN_UPS_PER_ADDRESS: '1000000',
        // The gateway's requests are not signed.
        TRUSTED_PROXIES: '127.0.0.1',
      }),
    )
    const blogs = await several(blogReplicas, () =>
      service('blog', {
        MONGODB_URL: `${servers.documents.url}/blog`,
        COVERS_DIR: join(directory, 'covers'),
        ...(servers.redis ? { REDIS_URL: servers.redis.url } : {}),
      }),
    )
    const [auth, blog] = [auths[0], blogs[0]]
    const gateway = resources.use(
      await gatewayFor(auth, blog, await writeConfig(directory, patient, gatewayConfig), {
        NATS_URL: natsUrlFor('gateway', servers.nats.url),
        ...gatewayEnv,
      }),
    )
    await Promise.all([...auths, ...blogs].map(program => program.start()))
    await gateway.start()
    return {
      ...servers,
      url: gateway.url,
      apiKey: DEMO_API_KEY,
      auths,
      blogs,
      auth,
      blog,
      gateway,
      linkOf: program => linked.get(program),
      authUrl: auth.url,
      blogUrl: blog.url,
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    }
  } catch (error) {
    await resources.disposeAsync()
    throw error
  }
}

/** The platform of all test files in this process that leave it as it was started. */
export const sharedPlatform = shared(() => startPlatform({ patient: true }))

async function gatewayFor(
  auth: Program,
  blog: Program,
  config: string,
  env: Readonly<Record<string, string>>,
): Promise<Program> {
  const port = String(await freePort())
  const resolve = [`auth:8001=${new URL(auth.url).host}`, `blog:8002=${new URL(blog.url).host}`]
  return new Program({
    entry: 'packages/gateway/src/main.ts',
    args: ['--config', config, '--port', port, ...resolve.flatMap(each => ['--resolve', each])],
    url: `http://127.0.0.1:${port}`,
    readyPath: '/auth/health',
    env,
  })
}

/** The platform's own, without the limits by address, as all users of a test come from one. `patient`: it waits longer for services. */
async function writeConfig(directory: string, patient: boolean, change: (text: string) => string): Promise<string> {
  const own = await readFile(CONFIG, 'utf8')
  const unlimited = own.replaceAll(/ minute: \d+$/gm, ' minute: 1000000')
  assert.notEqual(unlimited, own)
  const config = patient
    ? unlimited
        .replaceAll(/ timeout_ms: \d+$/gm, ' timeout_ms: 60000')
        .replaceAll(/ (read|write|connect)_timeout: \d+$/gm, ' $1_timeout: 75000')
    : unlimited
  const path = join(directory, 'kong.yml')
  await writeFile(path, change(config))
  return path
}

async function several<T>(count: number, make: () => Promise<T>): Promise<[T, ...T[]]> {
  const all: [T, ...T[]] = [await make()]
  while (all.length < count) all.push(await make())
  return all
}
