import { readFileSync } from 'node:fs'
import { availableParallelism, loadavg, totalmem } from 'node:os'
import { locateNats } from '@tsmicro/infra'
import { DEPENDENCIES, ROOT } from '../../install.ts'

const FRAMEWORK = new URL('packages/tsmicro/package.json', ROOT)
const RIVALS = ['@nats-io/transport-node', 'moleculer', '@nestjs/core', '@nestjs/microservices']

/** How many processes wanted to run in the last minute, on average: 0 on a machine that did nothing else. */
export function load(): { readonly average: number; readonly busy: boolean } {
  const [average = 0] = loadavg()
  return { average, busy: average > availableParallelism() / 2 }
}

/** One line: what the figures were measured on and with. */
export async function machine(): Promise<string> {
  const nats = await locateNats()
  const gibibytes = Math.round(totalmem() / 1024 ** 3)
  const { version }: { version: string } = JSON.parse(readFileSync(FRAMEWORK, 'utf8'))
  const rivals = RIVALS.map(name => `${name} ${DEPENDENCIES[name]}`)
  return [
    `${availableParallelism()} cores (${process.platform} ${process.arch}, ${gibibytes} GiB)`,
    `Node ${process.versions.node}`,
    `nats-server ${nats?.version.join('.') ?? 'of unknown version'}`,
    `tsmicro ${version}`,
    ...rivals,
    `load average before ${load().average.toFixed(1)}`,
  ].join(', ')
}
