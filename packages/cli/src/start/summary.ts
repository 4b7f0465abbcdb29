import type { Server } from '@tsmicro/infra'
import type { InfraName, System, SystemConfig } from '../config-types.ts'
import type { Log } from '../output/log.ts'
import type { Paint } from '../output/pino.ts'
import type { InstancePlan } from './plan.ts'

/** What the table tells. */
interface Running {
  readonly config: SystemConfig
  readonly system: System
  readonly instances: readonly InstancePlan[]
  readonly infra: ReadonlyMap<InfraName, Server>
  /** Rows beside the infrastructure. */
  readonly tools: readonly Row[]
  /** The explorer's address, if there is one. */
  readonly explorer: string | undefined
}

/** The table that is shown when everything is ready. */
export async function summarize(
  { config, system, instances, infra, tools, explorer }: Running,
  paint: Paint,
): Promise<string> {
  const addresses: Row[] = instances.map(({ name, url }) => [name, url])
  const parts: Row[] = [...infra].map(([name, server]) => [name, redactUrl(server.url), describeSource(name, server)])
  const gateway: Row[] = config.gateway === undefined ? [] : [['gateway', system.gateway.url]]
  const page: Row[] = explorer === undefined ? [] : [['explorer', explorer, 'every procedure, to try']]
  const extra = (await config.summary?.(system)) ?? []
  const first = config.gateway === undefined ? Object.values(system.services)[0] : system.gateway
  const sample = (await config.sample?.(system)) ?? (first === undefined ? undefined : `curl -i ${first.url}/`)
  const table = renderTable([[...gateway, ...addresses, ...page], [...parts, ...tools], extra], paint)
  const hint = sample === undefined ? '' : `\n\n  ${paint('bold', 'Try')}  ${sample}`
  return `\n${table}${hint}\n\n  Ctrl-C stops everything.\n`
}

/** The variables that name a server to use instead. */
const VARIABLES: Record<InfraName, string> = {
  nats: 'NATS_URL',
  postgres: 'DATABASE_URL',
  documents: 'MONGODB_URL',
  redis: 'REDIS_URL',
}

/** Says where a server comes from. */
export function describeSource(name: InfraName, server: Server): string {
  if (server.source === 'url') return `from ${VARIABLES[name]}`
  return server.source === 'embedded' ? 'embedded' : 'installed on this machine'
}

/** A row of the table. */
export type Row = readonly [label: string, value: string, remark?: string]

/**
 * Hides what is secret in a URL, or in several with commas between them: passwords, tokens, and parameters with such names. In doubt it
 * hides more, as a password may have an unencoded `/` or `@`.
 */
export function redactUrl(url: string): string {
  const parameters = /([?&][^=&]*(?:password|token|secret)[^=&]*=)[^&]*/gi
  const servers = url.replace(parameters, '$1***').split(/,(?=[a-z][a-z0-9+.-]*:\/\/)/i)
  return servers.map(server => server.replace(/^([a-z][a-z0-9+.-]*:\/\/)?(.*)@/is, redactUser)).join(',')
}

/** The name is shown if it is certain to be one. One without a password may be a token, except for databases. */
function redactUser(_all: string, scheme: string | undefined, credentials: string): string {
  const [, name = '', rest = ''] = /^([^:]*)(.*)$/s.exec(credentials) ?? []
  const isName = /^[^@/?#,]*$/.test(name) && (rest !== '' || /^(postgres|mongodb)/i.test(scheme ?? ''))
  return `${scheme ?? ''}${isName ? name : '***'}${isName && rest !== '' ? ':***' : ''}@`
}

/** Renders groups of aligned rows, with an empty line between groups. */
export function renderTable(groups: readonly (readonly Row[])[], paint: Paint): string {
  const width = Math.max(0, ...groups.flat().map(([label]) => label.length))
  const line = ([label, value, remark]: Row) =>
    `  ${paint('bold', label.padEnd(width))}  ${value}${remark === undefined ? '' : `  ${paint('dim', remark)}`}`
  const shown = groups.filter(group => group.length > 0)
  return shown.map(group => group.map(line).join('\n')).join('\n\n')
}

/** Reports each part that gets ready, and every few seconds what is still being waited for. */
export class Progress {
  readonly #log: Log
  readonly #waiting = new Map<string, number>()
  readonly #timer: NodeJS.Timeout

  constructor(log: Log, everyMs = 5000) {
    this.#log = log
    this.#timer = setInterval(() => this.#remind(), everyMs)
    this.#timer.unref()
  }

  /** Waits for `work` and reports it. `remark` says where the part comes from. */
  async track<T>(name: string, work: Promise<T>, remark: (result: T) => string): Promise<T> {
    const start = Date.now()
    this.#waiting.set(name, start)
    try {
      const result = await work
      const took = `${((Date.now() - start) / 1000).toFixed(2)} s`
      const { paint } = this.#log
      this.#log.say(`${paint('green', '✓')} ${name.padEnd(12)} ready in ${took}  ${paint('dim', remark(result))}`)
      return result
    } finally {
      this.#waiting.delete(name)
    }
  }

  /** Reports an optional part that is not available, and why. */
  absent(name: string, why: string): void {
    this.#log.say(`${this.#log.paint('dim', '–')} ${name.padEnd(12)} not used: ${why}`)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #remind(): void {
    if (this.#waiting.size === 0) return
    const parts = [...this.#waiting].map(([name, since]) => `${name} (${Math.round((Date.now() - since) / 1000)} s)`)
    this.#log.say(`${this.#log.paint('yellow', '…')} still waiting for ${parts.join(', ')}`)
  }
}
