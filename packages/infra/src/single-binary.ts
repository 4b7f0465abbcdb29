import { type DataDir, openDataDir, pidFile } from './data-dir.ts'
import { givenServer } from './given.ts'
import { type Found, missing } from './locate/found.ts'
import { ManagedServer } from './managed.ts'
import { awaitPredecessor } from './process/predecessor.ts'
import type { Server, StartOptions } from './server.ts'

/** A server that is one program, needs nothing prepared and leaves its pid to us: what differs between one and another. */
export interface SingleBinary {
  readonly name: string
  /** The scheme of its URLs, e.g. `redis`. */
  readonly scheme: string
  readonly defaultPort: number
  /** What is said when there is none. */
  readonly wanted: Parameters<typeof missing>[0]
  locate(sources: StartOptions['sources'], problems: string[]): Promise<Found | undefined>
  command(found: Found, data: DataDir, port: number): readonly string[]
  /** Called before every start; makes what the command needs. @returns whom clients come as, the same each time */
  prepare?(data: DataDir, found: Found): Promise<Credentials | undefined>
  /** What makes it answer: see {@link answers}. */
  readonly greeting: Buffer
  /** The line that says it takes connections. */
  readonly ready: RegExp
}

/** Of letters, digits, `-` and `_`, so that a URL can hold them as they are. */
interface Credentials {
  readonly user: string
  readonly password: string
}

/** @throws MissingServerError when there is none to run; ServerStartError when it does not come up */
export async function startSingleBinary(kind: SingleBinary, options: StartOptions): Promise<Server> {
  const { name, scheme, defaultPort, wanted, greeting, ready } = kind
  if (options.url) return givenServer(name, options.url, defaultPort, options.timeoutMs)
  const problems: string[] = []
  const found = await kind.locate(options.sources, problems)
  if (found === undefined) throw missing(wanted, problems)
  const data = await openDataDir(name, options)
  let login = ''
  const server = new ManagedServer(
    {
      ...{ name, source: found.source, greeting, ready, data, pidFile: pidFile(data), stopSignal: 'SIGTERM' },
      url: port => `${scheme}://${login}127.0.0.1:${port}`,
      launch: async port => {
        await awaitPredecessor(name, pidFile(data), data.path)
        const credentials = await kind.prepare?.(data, found)
        login = credentials === undefined ? '' : `${credentials.user}:${credentials.password}@`
        const command = [...kind.command(found, data, port), ...(options.extraArgs ?? [])]
        return { name, command, deathSignal: 'TERM' }
      },
    },
    options,
  )
  await server.start()
  return server
}
