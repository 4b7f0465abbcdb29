import { setTimeout as sleep } from 'node:timers/promises'
import { answers, type Peer } from './answers.ts'
import { InfraError, ServerStartError } from './errors.ts'
import type { ServerExit } from './process/child.ts'

/** Where a server comes from: a given address, the pinned package, or a program that is installed on this machine. */
export type Source = 'url' | 'embedded' | 'path'

/** A server that was found or started. Disposing of it (`await using`) stops it. */
export interface Server extends AsyncDisposable {
  readonly name: string
  /** The address for clients. It contains the credentials, so keep it out of logs. */
  readonly url: string
  readonly source: Source
  /** Undefined while the server does not run, and for `source: 'url'`. */
  readonly pid: number | undefined
  /** Shuts down cleanly and deletes an ephemeral server's data. Can be repeated. Does nothing to a server given by URL. */
  stop(): Promise<void>
  /** Signals the server and its children immediately, for fault tests: `SIGKILL`, `SIGSTOP`, `SIGCONT`. Throws for a server given by URL. */
  kill(signal: NodeJS.Signals): void
  /**
   * Runs the server again on the same port and data: after a kill, a crash or a stop, or while it runs, when it is stopped cleanly
   * first. Throws for a server given by URL, and after an ephemeral one was stopped, because its data is deleted.
   */
  restart(): Promise<void>
  /** Whether the server reacts at all within the time (default 5000 ms). False if it hangs, is frozen or does not run. Never rejects. */
  answers(timeoutMs?: number): Promise<boolean>
}

/** The options of every server. Times are in milliseconds. */
export interface StartOptions {
  /** Use this server instead of starting one. It has to accept connections within `timeoutMs`. */
  readonly url?: string | undefined
  /** The folder that keeps the data, created if missing. Without it the server is ephemeral. */
  readonly dataDir?: string | undefined
  /** Use exactly this port, and fail if it is taken. */
  readonly port?: number | undefined
  /** Use this port if it is free, else any free one. */
  readonly preferredPort?: number | undefined
  /** Keep the data in a temporary folder, which `stop` deletes, and never sync it to disk. */
  readonly ephemeral?: boolean | undefined
  /** Appended to the server's command line. */
  readonly extraArgs?: readonly string[] | undefined
  /** Where to look, in this order. Default `['embedded', 'path']`. */
  readonly sources?: readonly Exclude<Source, 'url'>[] | undefined
  /** How long to wait until the server is ready. Default 30 000. */
  readonly timeoutMs?: number | undefined
  /** Called for every line that the server writes. */
  readonly onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined
  /** Called when the server ends without `stop` or `restart` (`kill` counts as a crash). */
  readonly onExit?: ((exit: ServerExit) => void) | undefined
}

/** PEM files for a server's TLS. */
export interface ServerTls {
  /** The server's certificate, for the names and addresses by which clients reach it. */
  readonly certFile: string
  readonly keyFile: string
  /** If given, only clients with a certificate of this authority are accepted. */
  readonly clientCaFile?: string | undefined
}

/** For servers that can be started with TLS. PostgreSQL takes it in `extraArgs`. */
export interface SecureStartOptions extends StartOptions {
  /** Accept TLS and nothing else. The URL says so; which authority to trust is up to the client. */
  readonly tls?: ServerTls | undefined
}

/** The first server in a URL list such as `mongodb://u:p@a:27017,b:27018/db`; undefined for `+srv`, which names neither host nor port. */
export function firstAddress(url: string, defaultPort: number): (Peer & { readonly host: string }) | undefined {
  const match = /^(?:([a-z+]+):\/\/)?(?:[^@/]*@)?(\[[^\]]+\]|[^:,/?]+)(?::(\d+))?/i.exec(url)
  if (match?.[2] === undefined || match[1]?.endsWith('+srv') === true) return undefined
  return { host: match[2].replace(/^\[|\]$/g, ''), port: Number(match[3] ?? defaultPort) }
}

/** A server that somebody else runs. Waits until it accepts connections, and leaves it alone otherwise. */
export async function givenServer(name: string, url: string, defaultPort: number, timeoutMs = 30_000): Promise<Server> {
  const address = firstAddress(url, defaultPort)
  const deadline = Date.now() + timeoutMs
  while (address !== undefined && !(await answers(address, 2000))) {
    if (Date.now() >= deadline)
      throw new ServerStartError(`${name} does not answer at ${address.host}:${address.port}, the given address`)
    await sleep(100)
  }
  const refuse = (what: string): never => {
    throw new InfraError(`${name} was given by URL: it is not ours to ${what}`)
  }
  return {
    ...{ name, url, source: 'url', pid: undefined },
    stop: async () => {},
    kill: () => refuse('kill'),
    restart: async () => refuse('restart'),
    answers: async (ms = 2000) => address === undefined || answers(address, ms),
    [Symbol.asyncDispose]: async () => {},
  }
}
