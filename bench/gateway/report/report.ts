import { barChart } from '../../common/bars.ts'
import { aligned, count, markdownTable } from '../../common/tables.ts'
import type { LoadName } from '../load/load.ts'
import { type Result, ratio } from '../measure/result.ts'
import { judge } from './acceptance.ts'

const LOAD_NAMES: Readonly<Record<LoadName, string>> = {
  get: 'GET',
  post: 'POST of 10 KB',
  slow: 'GET beside slow and idle clients',
}
const YARDSTICK = 'bare'

/** Everything for a terminal. */
export function terminalReport(results: readonly Result[]): string {
  const judged = judge(results).map(
    ({ promise, ratio, met }) => `${met ? 'met   ' : 'missed'}  ${ratio.toFixed(2)}  ${promise}`,
  )
  return [...tables(results).map(aligned), ...(judged.length > 0 ? [judged.join('\n')] : [])].join('\n\n')
}

/** Markdown for docs/benchmarks.md. */
export function markdownReport(results: readonly Result[]): string {
  const judged = judge(results).map(({ promise, ratio, met }) => [promise, ratio.toFixed(2), met ? 'met' : 'missed'])
  return [...tables(results), [['aimed at', 'ratio', ''], ...judged]].map(markdownTable).join('\n\n')
}

/** A drawing for the same page. */
export function chart(results: readonly Result[]): string {
  const panels = [...byLoad(results)].flatMap(([load, group]) => {
    const bars = (value: (result: Result) => number) =>
      group.map(result => ({ label: result.subject, value: value(result), ours: result.subject.startsWith('gateway') }))
    const name = LOAD_NAMES[load]
    return [
      { name, measure: 'requests a second: more is better', bars: bars(({ perSecond }) => perSecond) },
      {
        name,
        measure: 'CPU of the proxy per request in µs: less is better',
        bars: bars(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest),
      },
    ]
  })
  return barChart('HTTP proxies in front of one service: the embedded gateway and others', panels, 190)
}

/** The cells of each load's table, its heading first. */
function tables(results: readonly Result[]): string[][][] {
  return [...byLoad(results)].map(([load, group]) => {
    const bare = group.find(({ subject }) => subject === YARDSTICK)
    const share = (ours: Result, figure: 'perSecond' | 'cpuMicrosPerRequest') =>
      bare === undefined ? '' : ratio(ours, bare, figure).toFixed(2)
    const heading = [
      'requests/s',
      `÷ ${YARDSTICK}`,
      'p50 ms',
      'p99 ms',
      'CPU µs/request',
      `÷ ${YARDSTICK}`,
      'memory MB',
    ]
    const rows = group.map(result => [
      result.subject,
      count(result.perSecond),
      share(result, 'perSecond'),
      result.p50Ms.toFixed(2),
      result.p99Ms.toFixed(2),
      result.cpuMicrosPerRequest.toFixed(1),
      share(result, 'cpuMicrosPerRequest'),
      count(result.memoryMb),
    ])
    return [[LOAD_NAMES[load], ...heading], ...rows]
  })
}

function byLoad(results: readonly Result[]): Map<LoadName, Result[]> {
  return Map.groupBy(results, ({ load }) => load)
}
