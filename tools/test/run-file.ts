import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { leftBehind, MARK, type Process } from './left-behind.ts'
import { type Outcome, readOutcome } from './outcome.ts'
import { Tail } from './tail.ts'

export type Options = {
  readonly root: string
  /** Time that a file may take before it is killed. */
  readonly limitMs: number
  /** Time that what a file started may take to end after it. */
  readonly graceMs: number
  /** Only tests whose name matches this regular expression. */
  readonly name?: string
  /** Ends every test process, and all that it started. */
  readonly signal: AbortSignal
}

export type FileResult = Outcome & {
  readonly path: string
  /** What is wrong with the file as a whole: crashed, hung, left a process behind, ran no test. */
  readonly problems: readonly string[]
  /** What it wrote to stdout and stderr. */
  readonly output: string
  readonly ms: number
}

const REPORTER = fileURLToPath(new URL('./events.ts', import.meta.url))

/** Runs one test file in a process of its own. Never throws for what the file does. */
export async function runFile(path: string, options: Options): Promise<FileResult> {
  const temp = mkdtempSync(join(tmpdir(), 'tsmicro-test-'))
  const mark = randomUUID()
  const began = performance.now()
  try {
    const events = join(temp, 'events.jsonl')
    const child = start(path, events, mark, options)
    const ended = await endOf(child, options)
    const outcome = readOutcome(existing(events))
    const left = await leftBehind(mark, ended.killed ? 0 : options.graceMs)
    kill(left)
    const problems = [...judge(ended, outcome, options), ...(ended.killed ? [] : left.map(describe))]
    return { ...outcome, path, problems, output: ended.output, ms: performance.now() - began }
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
}

function start(path: string, events: string, mark: string, options: Options): ChildProcess {
  const args = ['--conditions=@tsmicro/source', `--test-reporter=${REPORTER}`, `--test-reporter-destination=${events}`]
  if (options.name !== undefined) args.push(`--test-name-pattern=${options.name}`)
  // Halves the CPU that starting a service costs (1.05 s → 0.61 s): types are stripped and code is compiled once.
  const NODE_COMPILE_CACHE = join(options.root, 'node_modules/.cache/tsmicro-compile')
  const env: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE, ...process.env, [MARK]: mark }
  // Set when this runner is itself under test: the child would report to the outer runner in a private format.
  delete env.NODE_TEST_CONTEXT
  // A group of its own: what it starts is killed with it.
  return spawn(process.execPath, [...args, path], {
    cwd: options.root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

type Ended = {
  readonly code: number | null
  readonly sign: string | null
  readonly killed: boolean
  readonly output: string
}

async function endOf(child: ChildProcess, options: Options): Promise<Ended> {
  const tail = new Tail()
  child.stdout?.on('data', chunk => tail.add(chunk))
  child.stderr?.on('data', chunk => tail.add(chunk))
  // Not 'close': a process left behind would hold the pipes open for ever.
  const exit = once(child, 'exit')
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(options.limitMs)])
  let killed = false
  const end = () => {
    killed = true
    killGroup(child)
  }
  limit.addEventListener('abort', end, { once: true })
  if (limit.aborted) end()
  const [code, sign] = (await exit) as [number | null, string | null]
  limit.removeEventListener('abort', end)
  await Promise.race([once(child, 'close'), sleep(200)])
  child.stdout?.destroy()
  child.stderr?.destroy()
  return { code, sign, killed, output: tail.text() }
}

function judge(ended: Ended, outcome: Outcome, options: Options): string[] {
  if (ended.killed && options.signal.aborted) return ['interrupted']
  if (ended.killed) {
    return [`did not end within ${options.limitMs / 1000} s and was killed: ${stuckAt(outcome)}`]
  }
  const how = ended.sign === null ? `exit code ${ended.code}` : `signal ${ended.sign}`
  // What a process that ends itself had not yet written is lost, so the two cannot be told apart.
  if (!outcome.complete && ended.code === 0) return ['has no test, or ended its process before they were over']
  if (!outcome.complete) return [`ended before its tests had (${how})`]
  if (outcome.counts.tests === 0 && options.name === undefined) return ['has no test']
  if (ended.code !== 0 && outcome.failures.length === 0) return [`ended with ${how} although no test failed`]
  return []
}

function stuckAt({ unfinished, begun }: Outcome): string {
  if (unfinished.length > 0) return `in ${unfinished.map(name => `“${name}”`).join(', ')}`
  return begun ? 'the tests begun had ended, an open handle keeps it alive' : 'no test had begun'
}

const describe = (left: Process) => `left process ${left.pid} behind, now killed: ${left.command}`

function kill(processes: readonly Process[]): void {
  for (const { pid } of processes) signalled(pid)
}

function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) signalled(-child.pid)
}

function signalled(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself meanwhile.
  }
}

function existing(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
