import { type DataDir, openDataDir } from './data-dir.ts'
import { type Found, type Locate, type Program, requireProgram } from './locate.ts'
import { ManagedServer } from './managed.ts'
import { awaitPredecessor } from './process/tree.ts'
import { givenServer, type SecureStartOptions, type Server, type ServerTls } from './server.ts'

/** A kind of server that is one program and does not write its pid itself. */
export interface SingleBinary {
  readonly name: string
  /** The scheme of its URLs, e.g. `redis`. */
  readonly scheme: string
  readonly defaultPort: number
  readonly program: Program
  readonly locate: Locate
  command(found: Found, data: DataDir, port: number, tls: ServerTls | undefined): readonly string[]
  /** The end of its URLs with TLS. */
  readonly tlsQuery?: string
  /** The scheme of its URLs with TLS, e.g. `rediss`. Default: the same as without. */
  readonly tlsScheme?: string
  /** Prepares what the command needs, before every start. @returns the same credentials for clients each time */
  prepare?(data: DataDir, found: Found): Credentials | undefined
  /** What makes it answer: see {@link answers}. */
  readonly greeting: Buffer
  /** Matches the line that says it accepts connections. */
  readonly ready: RegExp
}

/** Made of letters, digits, `-` and `_`, which need no escaping in a URL. */
interface Credentials {
  readonly user: string
  readonly password: string
}

/** @throws MissingServerError if there is no program to run; ServerStartError if it does not come up */
export async function startSingleBinary(kind: SingleBinary, options: SecureStartOptions): Promise<Server> {
  const { name, greeting, ready } = kind
  const { tls } = options
  const scheme = (tls && kind.tlsScheme) ?? kind.scheme
  const query = (tls && kind.tlsQuery) ?? ''
  if (options.url) return givenServer(name, options.url, kind.defaultPort, options.timeoutMs)
  const found = await requireProgram(kind.program, kind.locate, options.sources)
  const data = await openDataDir(name, options)
  let login = ''
  const server = new ManagedServer(
    {
      ...{ name, source: found.source, greeting, ready, data, pidFile: data.pidFile, stopSignal: 'SIGTERM' },
      url: port => `${scheme}://${login}127.0.0.1:${port}${query}`,
      launch: async port => {
        await awaitPredecessor(name, data.pidFile, data.path)
        const credentials = kind.prepare?.(data, found)
        login = credentials === undefined ? '' : `${credentials.user}:${credentials.password}@`
        const command = [...kind.command(found, data, port, tls), ...(options.extraArgs ?? [])]
        return { name, command, deathSignal: 'TERM' }
      },
    },
    options,
  )
  await server.start()
  return server
}
