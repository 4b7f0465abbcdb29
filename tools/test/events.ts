/**
 * The reporter that each test process runs with: node's test events as JSON lines, with errors already rendered, because
 * an error's class, diff and causes do not survive JSON.
 */
import { AssertionError } from 'node:assert'
import { readFileSync } from 'node:fs'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

export type Counts = Record<'tests' | 'suites' | 'passed' | 'failed' | 'cancelled' | 'skipped' | 'todo', number>

export type Line =
  /** What runs now; in the order of execution. */
  | { readonly type: 'begin' | 'end'; readonly name: string; readonly nesting: number }
  /** What the runner reports, in the order of definition: a hanging test never gets here. */
  | { readonly type: 'start' | 'pass'; readonly name: string; readonly nesting: number }
  | { readonly type: 'skip' | 'todo'; readonly name: string; readonly nesting: number; readonly reason: string }
  | { readonly type: 'fail'; readonly name: string; readonly nesting: number; readonly error: string }
  /** What a test has to tell although it passed: a table, a seed. */
  | { readonly type: 'told'; readonly text: string }
  | { readonly type: 'summary'; readonly counts: Counts; readonly cpuMs: number }

type RunnerError = Error & { readonly cause?: unknown; readonly failureType?: string }

/** The runner's own closing words come the same way as a test's. */
const OWN_COUNTERS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/

export default async function* events(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const line = lineOf(event)
    if (line) yield `${JSON.stringify(line)}\n`
  }
}

function lineOf(event: TestEvent): Line | undefined {
  // `failed` is there at run time but not in the type definitions; the runner's own value wins.
  if (event.type === 'test:summary')
    return { type: 'summary', counts: { failed: 0, ...event.data.counts }, cpuMs: cpuMs() }
  if (event.type === 'test:diagnostic') {
    const { message } = event.data
    return OWN_COUNTERS.test(message) ? undefined : { type: 'told', text: message }
  }
  if (event.type === 'test:dequeue') return { type: 'begin', name: event.data.name, nesting: event.data.nesting }
  if (event.type === 'test:complete') return { type: 'end', name: event.data.name, nesting: event.data.nesting }
  if (event.type !== 'test:start' && event.type !== 'test:pass' && event.type !== 'test:fail') return undefined
  const { name, nesting } = event.data
  if (event.type === 'test:start') return { type: 'start', name, nesting }
  if (event.data.skip !== undefined) return { type: 'skip', name, nesting, reason: reasonOf(event.data.skip) }
  if (event.data.todo !== undefined) return { type: 'todo', name, nesting, reason: reasonOf(event.data.todo) }
  if (event.type === 'test:pass') return { type: 'pass', name, nesting }
  return { type: 'fail', name, nesting, error: render(event.data.details.error) }
}

/** What this process has used of the processors, and on Linux also what it started and has seen end. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000 + ofChildrenMs()
}

function ofChildrenMs(): number {
  if (process.platform !== 'linux') return 0
  // proc_pid_stat(5): after the name in brackets, the fields 16 and 17, in hundredths of a second.
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) * 10
}

const reasonOf = (value: string | boolean) => (typeof value === 'string' && value ? value : 'no reason given')

/** Empty for a parent that failed only because a test inside it did. */
function render(error: RunnerError): string {
  if (error.failureType === 'subtestsFailed') return ''
  // The runner wraps what a test threw; its own words only matter where nothing was thrown (a timeout, a cancelled test).
  const thrown = error.cause
  // An assertion's stack has its message and diff already; inspect would print actual and expected once more.
  if (thrown instanceof AssertionError && thrown.stack) return thrown.stack
  return typeof thrown === 'object' && thrown !== null ? inspect(thrown) : error.message
}
