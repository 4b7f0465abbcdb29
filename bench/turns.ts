import { setTimeout as sleep } from 'node:timers/promises'
import { nextWindows, type Window } from './meter.ts'
import type { Child } from './process.ts'

/** How long and how often is measured. Times in milliseconds. */
export interface Times {
  /** Each with new processes: the same code differs by a tenth from one process to the next. */
  readonly rounds: number
  /** How often a round goes through everything. Turns are short, so that the machine is in the same state for all that is compared. */
  readonly passes: number
  /** For each load of new processes: lets the JIT compiler do its work, which takes up to 20,000 requests, and fills caches. */
  readonly bringUpMs: number
  /** Before each measurement. */
  readonly warmUpMs: number
  readonly measuredMs: number
}

/** One measurement. */
export type Sample = {
  readonly perSecond: number
  /** User and system time of all processes that work on a request, without the generator's and the servers'. */
  readonly cpuMicros: number
  readonly p99Ms: number
  /** Resident memory of the process that answers. */
  readonly rssMb: number
}

/** What is measured, and by which processes. */
export interface Turn {
  readonly generator: Child
  /** What the generator's task `start` is told. */
  readonly order: object
  /** The process that answers, and others that it asks. */
  readonly answering: readonly [Child, ...Child[]]
}

/** One load of one subject. What happens after the warm-up counts. @throws Error for a wrong answer, or if there was none */
export async function measure(
  { generator, order, answering }: Turn,
  { warmUpMs, measuredMs, signal }: Pick<Times, 'warmUpMs' | 'measuredMs'> & { readonly signal: AbortSignal },
): Promise<Sample> {
  const markOf = (process: Child) => process.ask<Window>('mark')
  const mark = () => {
    const [first, ...others] = answering
    return Promise.all([markOf(generator), markOf(first), ...others.map(markOf)] as const)
  }
  await generator.ask('start', order)
  if (warmUpMs > 0) await sleep(warmUpMs, undefined, { signal })
  const [asking, first, ...others] = await nextWindows(mark, measuredMs, signal)
  await generator.ask('stop')
  if (asking.calls === 0) throw new Error(`${answering[0].name} answered nothing for ${measuredMs} ms`)
  // Windows begin and end a message's travel time apart, so CPU is taken as a share of each process's own.
  const perMs = asking.calls / asking.elapsedMs
  const cpuMicros = [first, ...others].reduce((sum, each) => sum + each.cpuMicros / each.elapsedMs / perMs, 0)
  return { perSecond: perMs * 1000, cpuMicros, p99Ms: asking.p99Ms, rssMb: first.memoryMb }
}

/**
 * Brings new processes up, then goes through all cells as often as the plan says: back and forth, so that their order does not matter.
 * Adds each measurement to those of its cell.
 */
export async function takeTurns<Cell>(
  samples: ReadonlyMap<Cell, Sample[]>,
  { passes, bringUpMs, warmUpMs, measuredMs }: Omit<Times, 'rounds'>,
  { turnOf, labelOf }: { readonly turnOf: (cell: Cell) => Turn; readonly labelOf: (cell: Cell) => string },
  { signal, say }: { readonly signal: AbortSignal; readonly say: (text: string) => void },
): Promise<void> {
  const cells = [...samples]
  for (const [cell] of cells) await measure(turnOf(cell), { warmUpMs: 0, measuredMs: bringUpMs, signal })
  for (let pass = 0; pass < passes; pass++) {
    for (const [cell, taken] of pass % 2 === 0 ? cells : cells.toReversed()) {
      const sample = await measure(turnOf(cell), { warmUpMs, measuredMs, signal })
      taken.push(sample)
      say(`\n  ${labelOf(cell).padEnd(40)} ${Math.round(sample.perSecond)}/s, ${sample.cpuMicros.toFixed(1)} µs`)
    }
  }
}
