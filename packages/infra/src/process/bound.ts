import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isMainThread } from 'node:worker_threads'

const run = promisify(execFile)

/** What ends a child together with this process: `pdeathsig` = the kernel (Linux), `stdin` = a shell. */
export type Binding = 'pdeathsig' | 'stdin'

/** A command line that ends, by `deathSignal`, when the process that spawned it ends, however that ends. */
export interface BoundCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly stdin: 'ignore' | 'pipe'
}

let probe: Promise<boolean> | undefined

function hasPdeathsig(): Promise<boolean> {
  probe ??= run('setpriv', ['--pdeathsig', 'TERM', '--', 'sh', '-c', ':']).then(
    () => true,
    () => false,
  )
  return probe
}

/** The binding to use here. The kernel's depends on the THREAD that spawns the child, so only the main thread may use it. */
export async function chooseBinding(): Promise<Binding> {
  return isMainThread && (await hasPdeathsig()) ? 'pdeathsig' : 'stdin'
}

// If the parent dies between fork and prctl, no signal would ever come: so check the parent again, then become the server.
const GUARD = '[ "$PPID" = "$0" ] && exec "$@"'

// Forked twice, so that the server has no child that it did not create. `read` fails when the parent's end of the pipe closes.
const WATCH =
  'me=$$; exec 3<&0 </dev/null; ( ( while read -r _ <&3; do :; done; kill -$0 $me 2>/dev/null ) >/dev/null 2>&1 & ) ; exec 3<&-; exec "$@"'

/**
 * Wraps a command so that `kill -9` of this process leaves no orphan. The wrappers exec, so the child's pid is the server's own.
 * @param deathSignal without `SIG`, e.g. `TERM`
 * @param prefix a command that changes the identity; it comes first, as it would reset the death signal
 */
export function bindToParent(
  binding: Binding,
  deathSignal: 'INT' | 'TERM' | 'KILL',
  prefix: readonly string[],
  command: readonly string[],
): BoundCommand {
  const line =
    binding === 'pdeathsig'
      ? [...prefix, 'setpriv', '--pdeathsig', deathSignal, '--', 'sh', '-c', GUARD, String(process.pid), ...command]
      : [...prefix, 'sh', '-c', WATCH, deathSignal, ...command]
  const [first = '', ...args] = line
  return { command: first, args, stdin: binding === 'stdin' ? 'pipe' : 'ignore' }
}
