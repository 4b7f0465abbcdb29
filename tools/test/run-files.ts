import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  type Process,
  type Program,
  processesThat,
  readOr,
  remaining,
  signal,
  signalGroup,
  startProgram,
  textOf,
} from '../processes.ts'
import type { Group } from './groups.ts'
import { type Outcome, readOutcome } from './outcome.ts'

export type Options = {
  readonly root: string
  /** Time that a file may take before it is killed. */
  readonly limitMs: number
  /** Time that what a file started may take to end after it. */
  readonly graceMs: number
  /** Only tests whose name matches this regular expression. */
  readonly name?: string
  /** A module that each test process loads first, and each Node process that it starts with its `NODE_OPTIONS`. */
  readonly preload?: string
  /** Ends every test process, and all that it started. */
  readonly signal: AbortSignal
}

export type FileResult = Outcome & {
  /** Of the file, or of the group of files. */
  readonly path: string
  readonly files: number
  /** What is wrong with the file as a whole: crashed, hung, left a process behind, ran no test. */
  readonly problems: readonly string[]
  /** What it wrote to stdout and stderr. */
  readonly output: string
  readonly ms: number
}

/** In the environment of every test process, so inherited by all that it starts, however detached. */
const MARK = 'TSMICRO_TEST_PROCESS'
const REPORTER = fileURLToPath(new URL('./events.ts', import.meta.url))

/** Runs a test file, or several together, in a process of their own. Never throws for what they do. */
export async function runFiles({ name, paths }: Group, options: Options): Promise<FileResult> {
  const temp = mkdtempSync(join(tmpdir(), 'tsmicro-test-'))
  const mark = randomUUID()
  const began = performance.now()
  try {
    const events = join(temp, 'events.jsonl')
    const ended = await endOf(start(entryOf(paths, temp, options), events, mark, options), options)
    const outcome = readOutcome(readOr('', () => readFileSync(events, 'utf8')))
    const marked = ({ pid }: Process) => textOf(pid, 'environ').split('\0').includes(`${MARK}=${mark}`)
    const left = await remaining(() => processesThat(marked), ended.killed ? 0 : options.graceMs)
    for (const { pid } of left) signal(pid, 'SIGKILL')
    const problems = [...judge(ended, outcome, options), ...(ended.killed ? [] : left.map(describe))]
    return {
      ...outcome,
      path: name,
      files: paths.length,
      problems,
      output: ended.output,
      ms: performance.now() - began,
    }
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
}

function entryOf(paths: readonly string[], temp: string, { root }: Options): string {
  const [path = ''] = paths
  if (paths.length === 1) return path
  const entry = join(temp, 'entry.mjs')
  // The runner's hooks of the whole process run as soon as all known tests are over, so the first one waits for all files.
  const imports = paths.map(each => `await import('${pathToFileURL(join(root, each))}')`)
  const waiting = "const { promise, resolve } = Promise.withResolvers()\ntest('all files are loaded', () => promise)"
  writeFileSync(entry, ["import { test } from 'node:test'", waiting, ...imports, 'resolve()'].join('\n'))
  return entry
}

function start(path: string, events: string, mark: string, options: Options): Program {
  const args = [`--test-reporter=${REPORTER}`, `--test-reporter-destination=${events}`]
  if (options.name !== undefined) args.push(`--test-name-pattern=${options.name}`)
  // Halves the CPU that starting a service costs (1.05 s → 0.61 s): types are stripped and code is compiled once.
  const NODE_COMPILE_CACHE = join(options.root, 'node_modules/.cache/tsmicro-compile')
  const env: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE, ...process.env, [MARK]: mark }
  if (options.preload !== undefined) {
    const preload = `--import=${pathToFileURL(options.preload)}`
    if (env.NODE_OPTIONS?.includes(preload) !== true) env.NODE_OPTIONS = `${env.NODE_OPTIONS ?? ''} ${preload}`.trim()
  }
  // Set when this runner is itself under test: the child would report to the outer runner in a private format.
  delete env.NODE_TEST_CONTEXT
  return startProgram([process.execPath, ...args, path], { cwd: options.root, env })
}

type Ended = {
  readonly code: number | null
  readonly sign: string | null
  readonly killed: boolean
  readonly output: string
}

async function endOf(program: Program, options: Options): Promise<Ended> {
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(options.limitMs)])
  let killed = false
  const end = () => {
    killed = true
    signalGroup(program, 'SIGKILL')
  }
  limit.addEventListener('abort', end, { once: true })
  if (limit.aborted) end()
  const [code, sign] = await program.exit
  limit.removeEventListener('abort', end)
  const { child, output } = program
  await Promise.race([once(child, 'close'), sleep(200)])
  child.stdout?.destroy()
  child.stderr?.destroy()
  return { code, sign, killed, output: output() }
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
