import type { Server } from '@tsmicro/infra'
import type { InfraName, System, SystemConfig } from '../config/types.ts'
import type { Paint } from '../output/colour.ts'
import { type Row, redactUrl, renderTable } from '../output/table.ts'
import { describeSource } from './infra.ts'
import type { InstancePlan } from './instances.ts'

/** The table that is shown once, when everything is ready. */
export function summarize(
  config: SystemConfig,
  system: System,
  instances: readonly InstancePlan[],
  infra: ReadonlyMap<InfraName, Server>,
  paint: Paint,
): string {
  const addresses: Row[] = instances.map(({ name, url }) => [name, url])
  const parts: Row[] = [...infra].map(([name, server]) => [name, redactUrl(server.url), describeSource(name, server)])
  const gateway: Row[] = config.gateway === undefined ? [] : [['gateway', system.gateway.url]]
  const extra = config.summary?.(system) ?? []
  const first = config.gateway === undefined ? Object.values(system.services)[0] : system.gateway
  const sample = config.sample?.(system) ?? (first === undefined ? undefined : `curl -i ${first.url}/`)
  const table = renderTable([[...gateway, ...addresses], parts, extra], paint)
  const hint = sample === undefined ? '' : `\n\n  ${paint('bold', 'Try')}  ${sample}`
  return `\n${table}${hint}\n\n  Ctrl-C stops everything.\n`
}
