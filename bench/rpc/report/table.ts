import { aligned, count, markdownTable } from '../../common/tables.ts'
import type { Findings, Result } from '../measure/result.ts'
import { judge, loadName } from './acceptance.ts'

const OURS = 'tsmicro'

/** The cells of one load's table, the heading first. The last column is our calls per second (HTTP: CPU) to the rival's. */
function rowsOf(results: readonly Result[]): string[][] {
  const [first] = results
  const http = first?.load === 'http'
  const ours = results.find(({ subject }) => subject === OURS)
  const figure = http ? 'cpuMicrosPerCall' : 'perSecond'
  const heading = [
    http ? `HTTP, ${count(first?.offeredPerSecond ?? 0)} requests a second offered` : first ? loadName(first) : '',
    http ? 'requests/s' : 'calls/s',
    'p50 ms',
    'p99 ms',
    'CPU µs/call',
    'wake-ups/call',
    'memory MB',
    http ? `${OURS}'s CPU ÷ its` : `${OURS}'s calls/s ÷ its`,
  ]
  const rows = results.map(result => [
    result.subject,
    count(result.perSecond),
    result.p50Ms.toFixed(2),
    result.p99Ms.toFixed(2),
    result.cpuMicrosPerCall.toFixed(1),
    result.wakeUpsPerCall.toFixed(2),
    count(result.memoryMb),
    ours ? (ours[figure] / result[figure]).toFixed(2) : '',
  ])
  return [heading, ...rows]
}

/** Results by load, in the order in which they come. */
export function byLoad(results: readonly Result[]): Result[][] {
  return [...Map.groupBy(results, loadName).values()]
}

/** Everything for a terminal. */
export function terminalReport({ results, baselineCpuMicros }: Findings): string {
  const tables = byLoad(results).map(group => aligned(rowsOf(group)))
  const judged = judge(results).map(
    ({ promise, ratio, met }) => `${met ? 'met   ' : 'missed'}  ${ratio.toFixed(2)}  ${promise}`,
  )
  const baseline = `An HTTP request without a call costs ${baselineCpuMicros.toFixed(1)} µs of CPU, taken off above.`
  return [...tables, baseline, ...(judged.length > 0 ? [judged.join('\n')] : [])].join('\n\n')
}

/** Markdown for docs/benchmarks.md. */
export function markdownReport({ results, baselineCpuMicros }: Findings): string {
  const tables = byLoad(results).map(group => markdownTable(rowsOf(group)))
  const judged = judge(results).map(
    ({ promise, ratio, met }) => `| ${promise} | ${ratio.toFixed(2)} | ${met ? 'met' : 'missed'} |`,
  )
  const baseline = `An HTTP request without a call costs ${baselineCpuMicros.toFixed(1)} µs of CPU here; that is taken off the table above.`
  const promises = ['| aimed at | ratio | |', '| --- | --: | --- |', ...judged].join('\n')
  return [...tables, baseline, promises].join('\n\n')
}
