import { type KongConfig, startGateway } from '@tsmicro/gateway'
import { freePort } from '@tsmicro/infra'
import { type Fault, noNginx, startNginx } from '../nginx/nginx.ts'

export const SECRET = 'what-the-gateway-signs-requests-with'

/** One of the two gateways that run the plugins. */
export interface Driver extends AsyncDisposable {
  readonly name: DriverName
  readonly port: number
  /** Breaks or repairs something that the plugins depend on. Resolves to false if this driver does not have it. */
  setFault(fault: Fault, on: boolean): Promise<boolean>
}

export interface StageOptions {
  readonly upstream: string
  readonly verifier: string
  readonly timeoutMs?: number
  readonly cacheSeconds?: number
  /** Seconds that a request in Kong waits for another request's question about the same key. Kong's default is 5. */
  readonly lockTimeout?: number
}

/**
 * `/private` needs a key, except for `/private/free` and everything below `/private/open/`. So do `/down`, whose verifier is down, and
 * `/torn`, whose other plugin throws. `/public` is open.
 */
async function configFor({
  upstream,
  verifier,
  timeoutMs = 3000,
  cacheSeconds = 60,
}: StageOptions): Promise<KongConfig> {
  const check = (authority: string) => ({
    name: 'apikey-auth',
    config: {
      verify_urls: [`http://${authority}/verify/apikey`],
      anonymous_paths: ['/private/free', '/private/open/*'],
      permission: 'READ',
      timeout_ms: timeoutMs,
      cache_ttl: cacheSeconds,
      negative_cache_ttl: cacheSeconds,
    },
  })
  const service = (name: string, plugins: KongConfig['plugins'] = []) => ({
    name,
    url: `http://${upstream}`,
    plugins,
    routes: [{ paths: [`/${name}`], strip_path: false }],
  })
  return {
    _format_version: '3.0',
    plugins: [{ name: 'sign-request', config: { secret: SECRET } }],
    services: [
      service('private', [check(verifier)]),
      service('down', [check(`127.0.0.1:${await freePort()}`)]),
      service('torn', [check(verifier), { name: 'strip-prefix', config: { prefix: '/elsewhere' } }]),
      service('public'),
    ],
  }
}

async function embedded(config: KongConfig): Promise<Driver> {
  let logThrows = false
  const write = () => {
    if (logThrows) throw new Error('the log is full')
  }
  const gateway = await startGateway({ config, port: 0, log: { info: write, warn: write, error: () => {} } })
  return {
    name: 'embedded',
    port: gateway.port,
    async setFault(fault, on) {
      if (fault === 'log-throws') logThrows = on
      return fault === 'log-throws'
    },
    [Symbol.asyncDispose]: () => gateway.close(),
  }
}

async function nginx(config: KongConfig, lockTimeout?: number): Promise<Driver> {
  return { ...(await startNginx(config, lockTimeout)), name: 'nginx' }
}

export type DriverName = 'embedded' | 'nginx'
export const driverNames: readonly DriverName[] = ['embedded', 'nginx']

/** Returns why a driver cannot be used here; false if it can. */
export function skipOf(name: DriverName): string | false {
  return name === 'nginx' ? (noNginx() ?? false) : false
}

export async function startDriver(name: DriverName, options: StageOptions): Promise<Driver> {
  const config = await configFor(options)
  return name === 'nginx' ? nginx(config, options.lockTimeout) : embedded(config)
}
