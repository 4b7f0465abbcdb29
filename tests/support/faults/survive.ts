import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Server } from '@tsmicro/infra'
import { until } from '../until.ts'
import { authKinds } from './auth-kinds.ts'
import { blogKinds } from './blog-kinds.ts'
import { assertKept } from './kept.ts'
import type { Dependency, Kind } from './kind.ts'
import type { FaultScene } from './scene.ts'
import { faultTable } from './table.ts'
import { type Seen, Traffic } from './traffic.ts'

const FROZEN_MS = 10_000

/** Something that goes wrong with a server while traffic continues. */
export interface Fault {
  readonly name: string
  happen(server: Server): Promise<void>
  mend(server: Server): Promise<void> | void
}

export const KILLED: Fault = {
  name: 'SIGKILL, then a new start',
  happen: async server => {
    server.kill('SIGKILL')
    await until('the end of the server', () => server.pid === undefined)
  },
  mend: server => server.restart(),
}

export const FROZEN: Fault = {
  name: `SIGSTOP, ${FROZEN_MS / 1000} s later SIGCONT`,
  happen: async server => {
    server.kill('SIGSTOP')
    await pause(FROZEN_MS)
  },
  mend: server => server.kill('SIGCONT'),
}

/**
 * Lets a fault happen to a dependency under steady traffic, and asserts that every answer was allowed, then and afterwards:
 * the right one, or a typed refusal, and that what does not need the dependency is still answered while it is away.
 */
export async function survive(t: TestContext, scene: FaultScene, dependency: Dependency, fault: Fault): Promise<void> {
  const server = scene.platform[dependency]
  assert.ok(server)
  const kinds = [...blogKinds(scene), ...authKinds(scene)]
  const needs = (kind: Kind) => kind.needs.includes(dependency)
  const traffic = new Traffic(kinds)
  try {
    await traffic.until('right answers of every kind', seen => seen.filter(isRight).length >= 2)
    traffic.phase = 'during'
    try {
      await fault.happen(server)
      await traffic.until('the fault to be felt', (seen, kind) =>
        needs(kind) && kind.forAWhile !== true ? seen.filter(isRefusal).length >= 2 : seen.length >= 2,
      )
      // On a very busy machine some deadlines pass by themselves; a fault that spreads leaves no right answer.
      const felt = traffic.seen.length
      await traffic.until('right answers of what does not need it', (_, kind) => {
        return needs(kind) || traffic.seen.slice(felt).some(seen => seen.kind === kind && isRight(seen))
      })
    } finally {
      await fault.mend(server)
    }
    traffic.phase = 'after'
    await traffic.until('everything to work again', seen => hasRun(seen, 3, isRight))
    await traffic.stop()
  } finally {
    await traffic.stop().catch(() => {})
    for (const line of faultTable(`${dependency}: ${fault.name}`, kinds, traffic.seen)) t.diagnostic(line)
  }
  const wrong = traffic.seen.filter(seen => !isRight(seen) && !isRefusal(seen))
  assert.deepEqual(wrong.map(told), [])
  await assertKept(scene)
}

/** Whether enough answers in a row are right. The last ones do not count: on a busy machine, those of all kinds are hardly ever right at once. */
function hasRun(seen: readonly Seen[], length: number, isRight: (seen: Seen) => boolean): boolean {
  return seen.some((_, index) => index >= length - 1 && seen.slice(index - length + 1, index + 1).every(isRight))
}

const isRight = ({ kind, answer }: Seen) => answer.status === kind.normal
const told = ({ kind, phase, answer }: Seen) => `${kind.name}, ${phase}: ${answer.status} ${answer.text}`

function isRefusal({ kind, answer }: Seen): boolean {
  if (kind.isRefusal) return kind.isRefusal(answer)
  const { status, body } = answer
  const error = { 503: 'SERVICE_UNAVAILABLE', 504: 'DEADLINE_EXCEEDED' }[status]
  return error !== undefined && body?.error === error && body.code === '10001' && body.status === status
}
