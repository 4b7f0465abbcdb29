import { barChart } from '../../common/bars.ts'
import type { Result } from '../measure/result.ts'
import { loadName } from './acceptance.ts'
import { byLoad } from './table.ts'

/** Bars for every load: calls per second where callers wait for each other, CPU per call where HTTP requests set the pace. */
export function chart(results: readonly Result[]): string {
  const panels = byLoad(results).flatMap(group => {
    const [first] = group
    if (!first) return []
    const http = first.load === 'http'
    const bars = group.map(({ subject, cpuMicrosPerCall, perSecond }) => {
      return { label: subject, value: http ? cpuMicrosPerCall : perSecond, ours: subject.startsWith('tsmicro') }
    })
    const measure = http ? 'CPU per call in µs: less is better' : 'calls a second: more is better'
    return [{ name: loadName(first), measure, bars }]
  })
  return barChart('Calls between two services over NATS: tsmicro, nats.js, Moleculer and NestJS', panels)
}
