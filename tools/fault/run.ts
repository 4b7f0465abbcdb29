import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDocuments, startNats, startPostgres } from '@tsmicro/infra'
import { befallServer, type Fault, faultsOf, type Target } from './faults.ts'
import { findingsOf, type Ledgers, readLedgers, totalsOf } from './ledger.ts'
import { Replica } from './process.ts'
import { openWatch } from './watch.ts'
import { openDatabases, type Report } from './world.ts'

export interface Plan {
  readonly seed: number
  readonly changes: number
  readonly faults: number
  /** Whether some faults last so long that others take over. */
  readonly long: boolean
}

/** So many faults last at the same time at most. */
const AT_ONCE = 2
/** Without an effect for so long, what is missing is lost: an event may wait a minute for another, and half a minute for a dead process. */
const STALLED_MS = 150_000
const LOOK_MS = 500

/** Resolves to what is wrong: nothing, if every change had its effect once and in order. */
export async function run(plan: Plan, signal: AbortSignal, say: (text: string) => void): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tsmicro-fault-'))
  await using world = await openWorld(folder)
  await changeAmidFaults(world, plan, signal, say)
  const ledgers = await settled(world, signal, say)
  const stopped = await Promise.all(world.replicas.map(replica => replica.stop()))
  const late = stopped.filter(ended => !ended).map(() => 'a process did not stop when it was told to')
  const findings = [...findingsOf(await world.ledgers(), world.acknowledged), ...(await world.left()), ...late]
  say(`${totalsOf(ledgers)}; processes that ended by themselves: ${world.endedThemselves()}`)
  if (findings.length === 0) await rm(folder, { recursive: true, force: true })
  else say(`what the processes have logged is in ${folder}`)
  return findings
}

/** Servers, both producers and both consumers. */
async function openWorld(folder: string) {
  await using opened = new AsyncDisposableStack()
  const streams = join(folder, 'nats')
  await mkdir(streams)
  const nats = opened.use(await startNats({ dataDir: streams }))
  const postgres = opened.use(await startPostgres({ ephemeral: true }))
  const documents = opened.use(await startDocuments({ ephemeral: true }))
  const urls = { nats: nats.url, postgres: postgres.url, documents: documents.url }
  const databases = opened.use(await openDatabases(urls, true))
  const watch = opened.use(await openWatch(urls.nats, databases))

  const counted = { acknowledged: new Set<string>(), effects: 0 }
  const onReport = ({ committed = [], effects = 0 }: Report) => {
    for (const key of committed) counted.acknowledged.add(key)
    counted.effects += effects
  }
  let starts = 0
  const start = (role: 'producer' | 'consumer', number: number) => {
    const program = new URL(`${role}.ts`, import.meta.url)
    const log = join(folder, `${role}-${number}.log`)
    const replica = new Replica(program, log, () => ({ urls, name: `p${++starts}` }), onReport)
    opened.defer(() => replica.end())
    return replica
  }
  const [producer1, producer2] = [start('producer', 1), start('producer', 2)]
  const [consumer1, consumer2] = [start('consumer', 1), start('consumer', 2)]
  const replicas = {
    'producer 1': producer1,
    'producer 2': producer2,
    'consumer 1': consumer1,
    'consumer 2': consumer2,
  }
  const servers = { nats, postgres, documents }
  const world = {
    acknowledged: counted.acknowledged,
    effects: () => counted.effects,
    replicas: Object.values(replicas),
    producers: [producer1, producer2],
    endedThemselves: () => Object.values(replicas).reduce((sum, { endedItself }) => sum + endedItself, 0),
    ledgers: (): Promise<Ledgers> => readLedgers(databases),
    left: watch.left,
    befall: ({ target, kind, ms }: Fault): Promise<void> =>
      target === 'nats' || target === 'postgres' || target === 'documents'
        ? befallServer(servers[target], { kind, ms }, join(streams, 'jetstream'))
        : replicas[target][kind === 'freeze' ? 'freeze' : 'kill'](ms),
  }
  const all = opened.move()
  return { ...world, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

type World = Awaited<ReturnType<typeof openWorld>>

/** Whoever suffers already is left alone meanwhile, and changes wait for a fault that has to wait. */
async function changeAmidFaults(
  { acknowledged, effects, producers, befall }: World,
  { seed, changes, faults, long }: Plan,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  const suffering = new Map<Target, Promise<void>>()
  const changeUntil = async (count: number) => {
    const tell = (changing: boolean) => {
      for (const producer of producers) producer.tell({ changing, holding: acknowledged.size > changes / 2 })
    }
    tell(true)
    while (acknowledged.size < count) await sleep(20, undefined, { signal })
    tell(false)
  }
  for (const [index, fault] of faultsOf(seed, faults, long).entries()) {
    const { target, kind, at, ms } = fault
    await changeUntil(changes * at)
    while (suffering.size >= AT_ONCE || suffering.has(target)) await Promise.race(suffering.values())
    say(
      `${acknowledged.size} changes, ${effects()} effects; fault ${index + 1} of ${faults}: ${kind} ${target}, ${ms} ms`,
    )
    suffering.set(
      target,
      befall(fault).finally(() => suffering.delete(target)),
    )
  }
  await changeUntil(changes)
  await Promise.all(suffering.values())
  say(`${acknowledged.size} changes, ${effects()} effects; no further changes or faults`)
}

/** Waits until everything has had its effect and nothing is left to do, or nothing happens. */
async function settled({ ledgers, left }: World, signal: AbortSignal, say: (text: string) => void): Promise<Ledgers> {
  let [before, since] = ['', performance.now()]
  for (;;) {
    const found = await ledgers()
    const waiting = await left()
    if (waiting.length === 0 && findingsOf(found, new Set()).length === 0) return found
    const now = totalsOf(found)
    if (now !== before) {
      since = performance.now()
      say(now)
    }
    if (performance.now() - since > STALLED_MS) return found
    before = now
    await sleep(LOOK_MS, undefined, { signal })
  }
}
