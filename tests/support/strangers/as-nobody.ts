import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Who ends a connection: the server, we after our bytes, or we after a complete message of MongoDB's protocol. */
export type Ends = 'them' | 'us' | 'message'

/** Something another user of the machine tries. Bytes and answers are in latin1. */
export type Task =
  | { readonly kind: 'talk'; readonly port: number; readonly bytes: string; readonly ends: Ends }
  /** The path of a socket; an abstract one begins with a zero byte. */
  | { readonly kind: 'talk-local'; readonly path: string; readonly bytes: string }
  /** `pid`: the process that the path refers to, if any. */
  | { readonly kind: 'read' | 'list' | 'write' | 'mkdir'; readonly path: string; readonly pid?: number }
  /** Whether it could be sent a signal. */
  | { readonly kind: 'signal'; readonly pid: number }

const NOBODY = 65534
const STRANGER = fileURLToPath(new URL('./stranger.ts', import.meta.url))
const COMMAND = ['--disable-warning=ExperimentalWarning', STRANGER]
const OPTIONS = { uid: NOBODY, gid: NOBODY, cwd: '/', env: {} }

/** Why nothing can be tried as another user here, or false. */
export function whyNotNobody(): string | false {
  if (process.platform !== 'linux') return 'listeners are found by /proc, which only Linux has'
  if (process.getuid?.() !== 0) return 'only root can become somebody else'
  const { status } = spawnSync(process.execPath, COMMAND, { ...OPTIONS, input: '' })
  return status === 0 ? false : 'this checkout is not readable for another user'
}

/** Runs all tasks as `nobody`, in order, and returns the results: what was received, `done: …`, or the error's code. */
export async function asNobody(tasks: readonly Task[]): Promise<readonly string[]> {
  if (tasks.length === 0) return []
  const child = spawn(process.execPath, COMMAND, { ...OPTIONS, stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  child.stdin.end(tasks.map(task => `${JSON.stringify(task)}\n`).join(''))
  await new Promise(resolve => child.once('close', resolve))
  const answers = output.trimEnd().split('\n')
  if (answers.length !== tasks.length) throw new Error(`${tasks.length} tasks, ${answers.length} answers:\n${output}`)
  return answers.map(line => JSON.parse(line) as string)
}
