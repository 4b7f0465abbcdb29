import type { ServerExit } from './process/child.ts'

/** Where a server came from: an address that was given, the pinned package, or a program installed on this machine. */
export type Source = 'url' | 'embedded' | 'path'

/** A server found or started. Disposing of it (`await using`) stops it. */
export interface Server extends AsyncDisposable {
  readonly name: string
  /** Address for clients, credentials included: not for logs. */
  readonly url: string
  readonly source: Source
  /** Undefined while it does not run, and for `source: 'url'`. */
  readonly pid: number | undefined
  /** Clean shutdown; an ephemeral server's data is deleted. Harmless when repeated. Nothing happens to a server given by URL. */
  stop(): Promise<void>
  /** Signals the server and its children at once, for fault tests: `SIGKILL`, `SIGSTOP`, `SIGCONT`. Throws for a server given by URL. */
  kill(signal: NodeJS.Signals): void
  /**
   * Runs it again on the same port and data: after a kill, a crash or a stop, or while it runs (then it is stopped cleanly first).
   * Throws for a server given by URL, and after the stop of an ephemeral one, whose data is gone.
   */
  restart(): Promise<void>
  /**
   * Whether it says anything at all within the time (default 5000 ms), whoever asks: false for one that hangs, is frozen or does
   * not run. Never rejects.
   */
  answers(timeoutMs?: number): Promise<boolean>
}

/** Options every server has. Times in milliseconds. */
export interface StartOptions {
  /** Use this server instead of starting one; it has to accept connections within `timeoutMs`. */
  readonly url?: string | undefined
  /** Folder that keeps the data; made when absent. Without it the server is ephemeral. */
  readonly dataDir?: string | undefined
  /** Exactly this port; an error when it is taken. */
  readonly port?: number | undefined
  /** This port if it is free, else any free one. */
  readonly preferredPort?: number | undefined
  /** Data in a temporary folder, deleted by `stop`, and never synced to disk. */
  readonly ephemeral?: boolean | undefined
  /** Appended to the server's command line. */
  readonly extraArgs?: readonly string[] | undefined
  /** Where to look, in this order. Default `['embedded', 'path']`. */
  readonly sources?: readonly Exclude<Source, 'url'>[] | undefined
  /** Longest wait for readiness. Default 30 000. */
  readonly timeoutMs?: number | undefined
  /** Every line the server writes. */
  readonly onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined
  /** Called when the server ends though nobody called `stop` or `restart` (`kill` counts as a crash). */
  readonly onExit?: ((exit: ServerExit) => void) | undefined
}
