import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@tsmicro/infra'
import { CliError } from '../errors.ts'
import type { GatewayAdmin } from '../restart/gateway-admin.ts'
import type { InstancePlan } from '../start/plan.ts'
import { watchLiveness } from '../supervise/liveness.ts'
import type { RunningSystem } from '../supervise/running-system.ts'
import type { Worker } from '../supervise/worker.ts'
import type { Front } from './front.ts'

/** The plan of a service's instance, whose port changes with every replacement. Its URL is that of the front. */
export type MovingPlan = Omit<InstancePlan, 'port'> & { port: number; readonly front: Front }

export interface InstanceContext {
  readonly running: RunningSystem
  /** Makes the process of an instance. */
  readonly makeWorker: (plan: InstancePlan) => Worker
  /** Undefined without a gateway. */
  readonly admin: GatewayAdmin | undefined
  readonly livenessMs: number
  /** Notes from what a process of this name is being started. @returns to be called when it is the one that runs */
  readonly noteStart: (name: string) => () => void
  readonly say: (text: string) => void
  /** Aborted when everything stops. */
  readonly signal: AbortSignal
}

const GRACE_MS = 30_000
const SWITCH_MS = 15_000
const POLL_MS = 50

/** The running process of a service, which another one can take over from without a failed request. */
export class DevInstance {
  readonly name: string
  readonly #plan: MovingPlan
  readonly #context: InstanceContext
  #worker: Worker
  #liveness: { stop(): void } | undefined
  /** The last replacement, which has to end before another one begins: the gateway would learn the ports in the wrong order. */
  #last: Promise<void> = Promise.resolve()

  constructor(plan: MovingPlan, worker: Worker, context: InstanceContext) {
    this.name = plan.name
    this.#plan = plan
    this.#worker = worker
    this.#context = context
    this.#noteRestarts(worker)
  }

  /**
   * Starts a new process beside the old one, and lets it take over once it is ready. The old one finishes its requests meanwhile.
   * One replacement follows the other.
   * @param given up: ends the new process before it takes over
   * @throws WorkerStartError if it does not get ready: the old one stays
   */
  replace(givenUp: AbortSignal): Promise<void> {
    const turn = this.#last.then(() => this.#replace(givenUp))
    this.#last = turn.catch(() => {})
    return turn
  }

  async #replace(givenUp: AbortSignal): Promise<void> {
    const { running, makeWorker, noteStart, livenessMs, say, signal } = this.#context
    givenUp.throwIfAborted()
    const port = await freePort()
    if (signal.aborted) throw new CliError('everything is being stopped')
    const next = makeWorker({ ...this.#plan, port })
    running.services.push(next)
    const isRunning = noteStart(this.name)
    const giveUp = () => void next.stop(1000)
    givenUp.addEventListener('abort', giveUp, { once: true })
    try {
      givenUp.throwIfAborted()
      await next.start()
      givenUp.throwIfAborted()
    } catch (error) {
      await next.stop(1000)
      forget(running, next)
      throw error
    } finally {
      givenUp.removeEventListener('abort', giveUp)
    }
    const old = this.#worker
    const oldLiveness = this.#liveness
    this.#worker = next
    isRunning()
    this.#noteRestarts(next)
    this.#liveness = watchLiveness([next], { limitMs: livenessMs, say })
    await this.#moveTo(port)
    oldLiveness?.stop()
    void this.#drain(old)
  }

  stop(): void {
    this.#liveness?.stop()
  }

  /** After a crash, it runs what is on disk then. */
  #noteRestarts(worker: Worker): void {
    worker.onRestart = () => {
      if (worker === this.#worker) this.#context.noteStart(this.name)()
    }
  }

  /** First where a gateway that starts again looks, then the one that runs. */
  async #moveTo(port: number): Promise<void> {
    const { admin, say, signal } = this.#context
    this.#plan.port = port
    this.#plan.front.moveTo(port)
    const deadline = Date.now() + SWITCH_MS
    while (admin !== undefined && !signal.aborted) {
      try {
        return await admin.move(this.#plan.target, `127.0.0.1:${port}`)
      } catch (error) {
        // It may be starting again, and would know the new port then.
        if (Date.now() > deadline) return say(error instanceof Error ? error.message : String(error))
        await sleep(POLL_MS)
      }
    }
  }

  /** Requests that the gateway or the front has taken, but not yet passed on, still go to the old process. */
  async #drain(old: Worker): Promise<void> {
    const { admin, running, signal } = this.#context
    const deadline = Date.now() + SWITCH_MS
    while (!signal.aborted && Date.now() < deadline) {
      const earlier = (await admin?.earlier().catch(() => 0)) ?? 0
      if (earlier + this.#plan.front.earlier === 0) break
      await sleep(POLL_MS)
    }
    await old.stop(GRACE_MS)
    forget(running, old)
  }
}

function forget(running: RunningSystem, worker: Worker): void {
  const at = running.services.indexOf(worker)
  if (at >= 0) running.services.splice(at, 1)
}
