import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isMainThread } from 'node:worker_threads'

const run = promisify(execFile)

/** How a child is tied to the life of this process; `pdeathsig` is the kernel's work (Linux), `stdin` a shell's. */
export type Binding = 'pdeathsig' | 'stdin'

/** A command line that ends, by `deathSignal`, when the process that spawns it is gone, however it went. */
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

/** The binding to use here. The kernel's is tied to the THREAD that spawns, hence only the main one may use it. */
export async function chooseBinding(): Promise<Binding> {
  return isMainThread && (await hasPdeathsig()) ? 'pdeathsig' : 'stdin'
}

// The parent may die between fork and prctl, when no signal would ever come: look once more who the parent is, then become the server.
const GUARD = '[ "$PPID" = "$0" ] && exec "$@"'

// Forked twice, so that the server does not find a child it never made. `read` fails when the parent's end of the pipe closes.
const WATCH =
  'me=$$; exec 3<&0 </dev/null; ( ( while read -r _ <&3; do :; done; kill -$0 $me 2>/dev/null ) >/dev/null 2>&1 & ) ; exec 3<&-; exec "$@"'

/**
 * Wraps a command so that no orphan stays after `kill -9` of this process. The wrappers exec: the child's pid is the server's own.
 * @param deathSignal without `SIG`, e.g. `TERM`
 * @param prefix a command that changes the identity first (it would reset the death signal if it came later)
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
