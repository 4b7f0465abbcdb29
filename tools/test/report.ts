import type { TestFile } from './discover.ts'
import type { Counts } from './events.ts'
import type { FileResult } from './run-files.ts'

export const failed = (result: FileResult) =>
  result.problems.length > 0 || result.failures.length > 0 || result.counts.failed + result.counts.cancelled > 0

/** One line for a file that is over, below it what its tests had to tell, and its failures in full. */
export function fileReport(result: FileResult): string {
  const { tests, skipped, todo } = result.counts
  const together = result.files > 1 ? [`${result.files} files`] : []
  const notes = [`${tests} tests`, ...together, ...(skipped + todo > 0 ? [`${skipped + todo} skipped`] : [])].join(', ')
  const times = [seconds(result.ms), ...(result.cpuMs === undefined ? [] : [`${seconds(result.cpuMs)} CPU`])].join(', ')
  const line = `${failed(result) ? '✗' : '✓'} ${result.path} (${notes}, ${times})`
  const told = result.told.map(indent)
  if (!failed(result)) return [line, ...told].join('\n')
  const details = [
    ...result.problems.map(problem => `! ${problem}`),
    ...result.failures.map(({ name, text }) => `✗ ${name}\n${indent(text)}`),
    ...(result.output ? [`output of the file:\n${indent(result.output)}`] : []),
  ]
  return [line, ...told, ...details.map(indent)].join('\n')
}

/** What was skipped or left out and why, what failed (again: logs are cut in the middle), and the counters as node's own reporter has them. */
export function closing(results: readonly FileResult[], leftOut: readonly TestFile[], ms: number): string {
  const absent = leftOut.map(({ path, ciAlone }) => `  ${path}: ${ciAlone}`)
  const skipped = results.flatMap(({ path, skipped }) => skipped.map(({ name, text }) => `  ${path}: ${name}: ${text}`))
  const broken = results.filter(failed).map(result => `  ${result.path}\n${indent(inShort(result))}`)
  const counters = Object.entries(total(results)).map(([name, value]) => `ℹ ${name} ${value}`)
  return [
    '',
    ...(skipped.length > 0 ? [`Skipped (${skipped.length}), and why:`, ...skipped, ''] : []),
    ...(absent.length > 0 ? [`Left out (${absent.length} files; CI=true npm test runs them):`, ...absent, ''] : []),
    ...(broken.length > 0 ? [`Failed files (${broken.length}):`, ...broken, ''] : []),
    ...counters,
    `ℹ cpu_ms ${Math.round(results.reduce((all, { cpuMs = 0 }) => all + cpuMs, 0))}`,
    `ℹ duration_ms ${Math.round(ms)}`,
  ].join('\n')
}

/** Problems and failures, each by its first lines. */
function inShort({ problems, failures }: FileResult): string {
  const failed = failures.map(({ name, text }) => `✗ ${name}\n${indent(text.split('\n').slice(0, 12).join('\n'))}`)
  return [...problems.map(problem => `! ${problem}`), ...failed].join('\n')
}

/** A file that is wrong as a whole, whatever its tests said, counts as one failed test, as in node's own runner. */
function total(results: readonly FileResult[]) {
  const sum = (key: keyof Counts) => results.reduce((all, { counts }) => all + counts[key], 0)
  const wrong = results.filter(({ problems }) => problems.length > 0).length
  return {
    tests: sum('tests') + wrong,
    suites: sum('suites'),
    pass: sum('passed'),
    fail: sum('failed') + wrong,
    cancelled: sum('cancelled'),
    skipped: sum('skipped'),
    todo: sum('todo'),
  }
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const indent = (text: string) => text.replaceAll(/^/gm, '    ')
