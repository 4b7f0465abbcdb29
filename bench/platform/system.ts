import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort, startDocuments, startNats, startPostgres } from '@tsmicro/infra'
import { Child } from '../process.ts'
import { GATEWAY_SECRET, type ServiceName } from './traffic.ts'

interface Service {
  readonly process: Child
  readonly port: number
  /** From the start of its process until it was ready. */
  readonly startMs: number
}

export type Services = Readonly<Record<ServiceName, Service>>

/** How a service is started; it listens on the port in the variable PORT. */
interface Deployed {
  readonly main: string
  /** Node's options, and what the service reads. */
  readonly environment: Readonly<Record<string, string>>
}

/** The services of a checkout, with servers of their own. */
export interface System {
  readonly postgresUrl: string
  readonly keysDir: string
  deployed(name: ServiceName): Deployed
  /** Starts the services in new processes, one after the other, so that each has the machine for its start. */
  start(stack: AsyncDisposableStack): Promise<Services>
}

/** Compiles the services to what is deployed. Older checkouts deploy their sources. */
const BUNDLE = 'tools/bundle.ts'

/** @param checkout the root of a checkout of this repository, with its dependencies */
export async function openSystem(checkout: string, stack: AsyncDisposableStack): Promise<System> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-platform-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const open = async (start: typeof startNats) => stack.use(await start({ ephemeral: true })).url
  const [natsUrl, postgresUrl, documentsUrl] = await Promise.all([
    open(startNats),
    open(startPostgres),
    open(startDocuments),
  ])
  const keysDir = join(folder, 'keys')
  const bundled = existsSync(join(checkout, BUNDLE))
  if (bundled) await promisify(execFile)(process.execPath, [BUNDLE], { cwd: checkout })
  const environment = {
    // As in the images.
    NODE_OPTIONS: bundled ? '--max-semi-space-size=16' : '--conditions=@tsmicro/source',
    ...(bundled && { NODE_COMPILE_CACHE: join(folder, 'compile-cache') }),
    ...{ NODE_ENV: 'development', REQUIRE_GATEWAY: 'true', GATEWAY_SECRET, VERIFY_SECRET: GATEWAY_SECRET },
    ...{ NATS_URL: natsUrl, DATABASE_URL: postgresUrl, MONGODB_URL: documentsUrl },
    ...{ KEYS_DIR: keysDir, COVERS_DIR: folder },
  }
  const role = new URL('./roles/service.ts', import.meta.url)
  const deployed = (name: ServiceName) => {
    return { main: join(checkout, 'services', name, bundled ? 'dist/main.js' : 'src/main.ts'), environment }
  }
  const startService = async (name: ServiceName, stack: AsyncDisposableStack): Promise<Service> => {
    const port = await freePort()
    const { main } = deployed(name)
    const process = stack.use(new Child(`${name} of ${checkout}`, role, [main], { ...environment, PORT: String(port) }))
    return { process, port, startMs: await process.ask<number>('ready') }
  }
  return {
    postgresUrl,
    keysDir,
    deployed,
    start: async stack => ({ auth: await startService('auth', stack), blog: await startService('blog', stack) }),
  }
}
