import type { LoadName } from '../load/load.ts'
import { type Result, ratio } from '../measure/result.ts'
import type { SubjectName } from '../subjects.ts'

/** One promise about the figures, and whether this run kept it. */
export interface Judgement {
  readonly promise: string
  readonly ratio: number
  readonly met: boolean
}

interface Side {
  readonly subject: SubjectName
  readonly load: LoadName
}

interface Promised {
  readonly what: string
  readonly of: Side
  readonly to: Side
}

const OURS = 'gateway-apikey'
const on = (subject: SubjectName, load: LoadName): Side => ({ subject, load })

/** Each is judged by requests a second, and by CPU per request, which a busy machine blurs less. */
const PROMISED: readonly (Promised & { readonly atLeast: number })[] = [
  { what: 'GET, API-key check beside bare', of: on(OURS, 'get'), to: on('bare', 'get'), atLeast: 0.9 },
  { what: 'POST, API-key check beside bare', of: on(OURS, 'post'), to: on('bare', 'post'), atLeast: 0.9 },
  { what: '1,000 routes beside 10', of: on('gateway-1000-routes', 'get'), to: on(OURS, 'get'), atLeast: 0.95 },
  { what: 'beside slow and idle clients or not', of: on(OURS, 'slow'), to: on(OURS, 'get'), atLeast: 0.9 },
]

/** The promises that a run has the figures for. */
export function judge(results: readonly Result[]): Judgement[] {
  const find = ({ subject, load }: Side) => results.find(result => result.subject === subject && result.load === load)
  return PROMISED.flatMap(({ what, of, to, atLeast }) => {
    const [ours, theirs] = [find(of), find(to)]
    if (!ours || !theirs) return []
    const rate = ratio(ours, theirs, 'perSecond')
    const cpu = ratio(ours, theirs, 'cpuMicrosPerRequest')
    const atMost = 1 / atLeast
    return [
      { promise: `${what}: requests a second at least ${atLeast} ×`, ratio: rate, met: rate >= atLeast },
      { promise: `${what}: CPU per request at most ${atMost.toFixed(2)} ×`, ratio: cpu, met: cpu <= atMost },
    ]
  })
}
