import pg, { type ClientConfig } from 'pg'
import { UnusableError } from '../errors/index.ts'
import { unusable } from './errors.ts'
import { takeTls } from './tls.ts'
import { PreferTls } from './wire.ts'

interface ClientSettings {
  readonly url: string
  readonly applicationName: string | undefined
  readonly connectTimeoutMs: number
  /** Undefined: only the client's limit applies. */
  readonly statementTimeoutMs: number | undefined
  readonly queryTimeoutMs: number
}

type Done = (error?: Error | null) => void

/**
 * The class of a pool's clients. Unlike pg's own, they read `sslmode` as libpq does (and certificate files again for each
 * connection), report permanent problems as `UnusableError`, and never end the process: in pg's pool, a client does that if its
 * constructor throws, or if it emits an `error` before it is connected.
 */
export function clientClass(settings: ClientSettings): new () => pg.Client {
  return class Client extends pg.Client {
    readonly #problem: unknown

    constructor() {
      let config: ClientConfig = {}
      let problem: unknown
      try {
        config = configOf(settings)
      } catch (error) {
        problem = error
      }
      super(config)
      this.#problem = problem
      this.on('error', () => undefined)
    }

    override connect(): Promise<never>
    override connect(callback: Done): void
    override connect(callback?: Done): Promise<never> | undefined {
      if (!callback) {
        return new Promise((resolve, reject) => this.connect(error => (error ? reject(error) : resolve(this as never))))
      }
      if (this.#problem instanceof Error) process.nextTick(callback, this.#problem)
      else super.connect((error: Error | null) => callback(error && (unusable(error, this) ?? error)))
      return undefined
    }
  }
}

function configOf({ url, applicationName, connectTimeoutMs, statementTimeoutMs, queryTimeoutMs }: ClientSettings) {
  const [base = '', query = ''] = url.split(/\?(.*)/s)
  const parameters = new URLSearchParams(query)
  const host = hostOf(base)
  const tls = takeTls(parameters, (parameters.get('host') ?? host).startsWith('/'))
  const config: ClientConfig & { sslnegotiation: string } = {
    connectionString: parameters.size === 0 ? base : `${base}?${parameters}`,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    ssl: tls.optional ? false : (tls.options ?? false),
    sslnegotiation: tls.direct ? 'direct' : 'postgres',
    ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs }),
    ...(applicationName === undefined ? {} : { application_name: applicationName }),
  }
  const connection = tls.optional && tls.options && new PreferTls({ keepAlive: true }, tls.options)
  return connection ? { ...config, connection } : config
}

/** @throws {UnusableError} without the URL in its message, as that contains a password */
function hostOf(base: string): string {
  try {
    // URL refuses an empty host, which means the one in PGHOST.
    const { protocol, hostname, pathname } = new URL(base.replace(/@(?=\/|$)/, '@localhost'))
    // pg ignores the scheme; and with an @ in the path, the supposed host is a part of the password.
    if (/^postgres(ql)?:$/.test(protocol) && !pathname.includes('@')) return decodeURIComponent(hostname)
  } catch {
    // See below.
  }
  throw new UnusableError(
    'the URL of PostgreSQL cannot be read: use postgres://user:password@host:port/database, with special characters of the password percent-encoded (@ is %40)',
  )
}
