import { availableParallelism, loadavg, totalmem } from 'node:os'

/** How many processes wanted to run in the last minute, on average: 0 on a machine that did nothing else. */
export function load(): { readonly average: number; readonly busy: boolean } {
  const [average = 0] = loadavg()
  return { average, busy: average > availableParallelism() / 2 }
}

/** One line: what the figures were measured on, and `software`, what they were measured with. */
export function machineLine(software: readonly string[]): string {
  const gibibytes = Math.round(totalmem() / 1024 ** 3)
  return [
    `${availableParallelism()} cores (${process.platform} ${process.arch}, ${gibibytes} GiB)`,
    `Node ${process.versions.node}`,
    ...software,
    `load average before ${load().average.toFixed(1)}`,
  ].join(', ')
}
