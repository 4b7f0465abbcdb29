import { type ChildProcess, fork } from 'node:child_process'
import { openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { NODE_FLAGS } from '@tsmicro/infra'
import type { Assignment, Order, Report } from './world.ts'

const AGAIN_MS = 500
const REPORT_MS = 50
const STOP_MS = 30_000

/** A process of the run, which is started again whenever it ends. */
export class Replica {
  /** How often it has ended although nobody has killed it. */
  endedItself = 0
  readonly #program: URL
  readonly #assignment: () => Assignment
  readonly #log: number
  readonly #onReport: (report: Report) => void
  #child: ChildProcess | undefined
  #order: Order = {}
  #wanted = true

  /** @param logFile what it writes goes there @param assignment for each start */
  constructor(program: URL, logFile: string, assignment: () => Assignment, onReport: (report: Report) => void) {
    this.#program = program
    this.#log = openSync(logFile, 'a')
    this.#assignment = assignment
    this.#onReport = onReport
    this.#start()
  }

  /** Stays in force after a restart. */
  tell(order: Order): void {
    this.#order = { ...this.#order, ...order }
    this.#send(order)
  }

  async kill(ms: number): Promise<void> {
    this.#wanted = false
    const ended = this.#ended()
    this.#child?.kill('SIGKILL')
    await ended
    await sleep(ms)
    this.#wanted = true
    this.#start()
  }

  async freeze(ms: number): Promise<void> {
    const child = this.#child
    child?.kill('SIGSTOP')
    await sleep(ms)
    child?.kill('SIGCONT')
  }

  /** Lets it end what it does. Resolves to whether it has ended in time and well. */
  async stop(): Promise<boolean> {
    this.#wanted = false
    const child = this.#child
    const ended = this.#ended()
    this.#send({ stop: true })
    const timer = setTimeout(() => child?.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(timer)
    return child?.exitCode === 0
  }

  /** Ends it at once and for good. */
  end(): void {
    this.#wanted = false
    this.#child?.kill('SIGKILL')
  }

  #start(): void {
    const child = fork(fileURLToPath(this.#program), {
      execArgv: NODE_FLAGS,
      stdio: ['ignore', this.#log, this.#log, 'ipc'],
    })
    this.#child = child
    child.on('message', report => this.#onReport(report as Report))
    child.on('error', () => {})
    child.once('exit', () => {
      if (!this.#wanted) return
      this.endedItself += 1
      setTimeout(() => this.#wanted && this.#child === child && this.#start(), AGAIN_MS)
    })
    this.#send({ assignment: this.#assignment(), ...this.#order })
  }

  #send(order: Order): void {
    if (this.#child?.connected) this.#child.send(order, () => {})
  }

  #ended(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
    return new Promise(resolve => child.once('exit', () => resolve()))
  }
}

interface Role {
  readonly order: (order: Order) => void
  readonly stop: () => Promise<void>
}

/** What a process of the run does: starts with its assignment, reports, and ends with its parent. */
export function serveRun(start: (assignment: Assignment, report: (report: Report) => void) => Promise<Role>): void {
  let committed: string[] = []
  let effects = 0
  const report = (more: Report) => {
    committed.push(...(more.committed ?? []))
    effects += more.effects ?? 0
  }
  const flush = () => {
    if (committed.length + effects > 0) process.send?.({ committed, effects } satisfies Report)
    committed = []
    effects = 0
  }
  setInterval(flush, REPORT_MS)
  let role: Promise<Role> | undefined
  process.once('disconnect', () => process.exit(1))
  process.on('SIGINT', () => {})
  process.on('message', async (order: Order) => {
    if (order.assignment) role = start(order.assignment, report)
    const started = await role
    started?.order(order)
    if (!order.stop) return
    await started?.stop()
    flush()
    process.send?.({}, () => process.exit(0))
  })
}
