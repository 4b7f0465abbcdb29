import type { Result } from '../measure/result.ts'
import type { SubjectName } from '../subjects.ts'

/** One promise about the figures, and whether this run kept it. */
export interface Judgement {
  readonly promise: string
  readonly ratio: number
  readonly met: boolean
}

interface Promised {
  readonly what: string
  readonly load: string
  readonly of: SubjectName
  readonly to: SubjectName
  readonly figure: 'perSecond' | 'p50Ms' | 'p99Ms' | 'cpuMicrosPerCall'
  readonly atLeast?: number
  readonly atMost?: number
}

const PROMISED: readonly Promised[] = [
  { ...faster('64 in flight', 'moleculer'), atLeast: 3 },
  { ...faster('64 in flight', 'bare'), atLeast: 5 },
  { ...faster('64 in flight', 'nestjs'), atLeast: 8 },
  { ...faster('512 in flight', 'moleculer'), atLeast: 4 },
  { ...faster('64 in flight', 'bare'), of: 'tsmicro-unbatched', atLeast: 1.5 },
  { what: 'p50', load: '1 in flight', of: 'tsmicro', to: 'bare', figure: 'p50Ms', atMost: 1.05 },
  { what: 'CPU per call', load: 'HTTP', of: 'tsmicro', to: 'bare', figure: 'cpuMicrosPerCall', atMost: 0.5 },
  { what: 'p99', load: 'HTTP', of: 'tsmicro', to: 'bare', figure: 'p99Ms', atMost: 1 },
]

function faster(load: string, to: SubjectName) {
  return { what: 'calls a second', load, of: 'tsmicro', to, figure: 'perSecond' } as const
}

/** What each load is called in reports. */
export const loadName = ({ load, inFlight }: Pick<Result, 'load' | 'inFlight'>) =>
  load === 'http' ? 'HTTP' : `${inFlight} in flight`

/** The promises that a run has the figures for. */
export function judge(results: readonly Result[]): Judgement[] {
  const find = (load: string, subject: SubjectName) =>
    results.find(result => result.subject === subject && loadName(result) === load)
  return PROMISED.flatMap(({ what, load, of, to, figure, atLeast, atMost }) => {
    const [ours, theirs] = [find(load, of), find(load, to)]
    if (!ours || !theirs) return []
    const ratio = ours[figure] / theirs[figure]
    const bound = atLeast === undefined ? `at most ${atMost} ×` : `at least ${atLeast} ×`
    const met = atLeast === undefined ? ratio <= (atMost ?? 0) : ratio >= atLeast
    return [{ promise: `${load}: ${what} of ${of} ${bound} ${to}`, ratio, met }]
  })
}
