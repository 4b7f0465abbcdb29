import type { Counts, Line } from './events.ts'

type Named = { readonly name: string; readonly text: string }

/** What one test file did, as read from its events. */
export type Outcome = {
  readonly counts: Counts
  /** Of the processors' time. Unknown if not complete. */
  readonly cpuMs: number | undefined
  /** False when the process ended, or was ended, before its tests had. */
  readonly complete: boolean
  readonly failures: readonly Named[]
  /** Skipped and todo tests, with their reason. */
  readonly skipped: readonly Named[]
  /** What tests had to tell, line by line. */
  readonly told: readonly string[]
  readonly begun: boolean
  /** Tests and suites that began and did not end. */
  readonly unfinished: readonly string[]
}

/** Reads the event file that the reporter wrote; a last line cut off by a kill is ignored. */
export function readOutcome(text: string): Outcome {
  const lines = linesOf(text)
  const summary = lines.find(line => line.type === 'summary')
  const named = withParents(lines)
  const failures = named.flatMap(([name, line]) =>
    line.type === 'fail' && line.error ? [{ name, text: line.error }] : [],
  )
  const skipped = named.flatMap(([name, line]) => {
    if (line.type === 'skip') return [{ name, text: line.reason }]
    return line.type === 'todo' ? [{ name, text: `todo: ${line.reason}` }] : []
  })
  const told = lines.flatMap(line => (line.type === 'told' ? [line.text] : []))
  const [tests, failed] = [failures.length, failures.length]
  const counts = summary?.counts ?? { tests, suites: 0, passed: 0, failed, cancelled: 0, skipped: 0, todo: 0 }
  const begun = lines.some(line => line.type === 'begin')
  const unfinished = runningAtTheEnd(lines)
  return { counts, cpuMs: summary?.cpuMs, complete: summary !== undefined, failures, skipped, told, begun, unfinished }
}

/** Each reported line with the name of its test after those of the tests around it. */
function withParents(lines: readonly Line[]): [string, Line][] {
  const open: string[] = []
  return lines.flatMap((line): [string, Line][] => {
    if (line.type === 'summary' || line.type === 'told' || line.type === 'begin' || line.type === 'end') return []
    open.length = line.nesting
    open.push(line.name)
    return line.type === 'start' ? [] : [[open.join(' › '), line]]
  })
}

function runningAtTheEnd(lines: readonly Line[]): string[] {
  const running: string[] = []
  for (const line of lines) {
    if (line.type === 'begin') running.push(line.name)
    if (line.type === 'end') running.splice(running.lastIndexOf(line.name), 1)
  }
  return running
}

function linesOf(text: string): Line[] {
  const complete = text.slice(0, text.lastIndexOf('\n') + 1)
  return complete.split('\n').flatMap(line => (line ? [JSON.parse(line) as Line] : []))
}
