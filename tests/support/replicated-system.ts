import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEMO_API_KEY } from '@blog-platform/auth-service/demo'
import { descendants } from '@tsmicro/infra'
import { RunningSystem } from '../documentation/running-system.ts'
import type { ObserverLogin } from './observer.ts'
import { type Ended, runTsmicro } from './tsmicro.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** `tsmicro start --replicas 2` with its own data: the platform as users run it, with two instances of each service. */
export class ReplicatedSystem implements AsyncDisposable {
  readonly #resources: AsyncDisposableStack
  readonly #system: RunningSystem
  readonly #dataDir: string
  readonly apiKey = DEMO_API_KEY

  private constructor(resources: AsyncDisposableStack, system: RunningSystem, dataDir: string) {
    this.#resources = resources
    this.#system = system
    this.#dataDir = dataDir
  }

  static async start(): Promise<ReplicatedSystem> {
    await using resources = new AsyncDisposableStack()
    const dataDir = await mkdtemp(join(tmpdir(), 'tsmicro-replicas-'))
    resources.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
    const env = { ...process.env, DATA_DIR: dataDir, GATEWAY_PORT: '0', NO_COLOR: '1', REDIS_URL: '' }
    const command = 'node packages/cli/bin/tsmicro.js start --replicas 2'
    const system = resources.use(await RunningSystem.start(command, ROOT, env))
    return new ReplicatedSystem(resources.move(), system, dataDir)
  }

  /** The gateway's. */
  get url(): string {
    return this.#system.addressOf('gateway')
  }

  /** Of the gateway's Admin API. */
  get adminUrl(): string {
    const url = /gateway listening .*adminUrl=(\S+)/.exec(this.output)?.[1]
    if (url === undefined) throw new Error(`the gateway did not say its adminUrl:\n${this.output.slice(0, 4000)}`)
    return url
  }

  /** The token for the Admin API, which only the operator can read. */
  async adminHeaders(): Promise<{ readonly authorization: string }> {
    const token = await readFile(join(this.#dataDir, 'gateway-admin-token'), 'utf8')
    return { authorization: `Bearer ${token.trim()}` }
  }

  /** The supervisor's own port, and the token for commands. */
  async control(): Promise<{ readonly url: string; readonly token: string }> {
    return JSON.parse(await readFile(join(this.#dataDir, 'control.json'), 'utf8'))
  }

  /** All processes that the supervisor has started, without those that PostgreSQL starts for a connection. */
  async pids(): Promise<readonly number[]> {
    const all = descendants(this.#system.pid)
    const commands = await Promise.all(all.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
    return all.filter((_, index) => !commands[index]?.startsWith('postgres: '))
  }

  get output(): string {
    return this.#system.output
  }

  /** Of an instance such as `auth-2`. */
  addressOf(instance: string): string {
    return this.#system.addressOf(instance)
  }

  /** The command in the table that lists the services, and what it signs in with. */
  async observer(): Promise<{ readonly command: string; readonly login: ObserverLogin }> {
    const [, command = '', file = ''] = /^ +observer +(nats --context (\S+) micro ls)/m.exec(this.output) ?? []
    return { command, login: JSON.parse(await readFile(file, 'utf8')) as ObserverLogin }
  }

  /** The current process of an instance. */
  async pidOf(instance: string): Promise<number> {
    const wanted = `PORT=${new URL(this.addressOf(instance)).port}`
    for (const pid of descendants(this.#system.pid)) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      if (environment.split('\0').includes(wanted) && command.includes('services/')) return pid
    }
    throw new Error(`there is no process of ${instance}`)
  }

  /** `tsmicro restart …`. */
  restart(...args: string[]): Promise<Ended> {
    return runTsmicro(['restart', ...args], { DATA_DIR: this.#dataDir })
  }

  /** What the gateway reports about an upstream's targets. */
  async healthOf(upstream: string): Promise<Readonly<Record<string, string>>> {
    const answer = await fetch(`${this.adminUrl}/upstreams/${upstream}/health`, { headers: await this.adminHeaders() })
    const { data } = (await answer.json()) as { data: { target: string; health: string }[] }
    return Object.fromEntries(data.map(({ target, health }) => [target, health]))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync()
  }
}
