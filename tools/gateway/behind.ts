import { withRoutes } from '@tsmicro/cli/generate'
import { type KongConfig, startGateway } from '@tsmicro/gateway'
import { createService, type Module } from 'tsmicro'
import type { Contract } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import { parse } from 'yaml'

const log = createLogger({ name: 'shop', level: 'silent' })

/** A service of one contract behind a gateway with its generated routes. @param kong a kong.yml that calls the service http://shop:80 */
export async function behindGateway(kong: string, exported: Contract, handlers: Module['handlers']) {
  await using stack = new AsyncDisposableStack()
  const http = { port: 0, host: '127.0.0.1' }
  const service = createService({ name: 'shop', version: '1.0.0', log, http, module: { handlers: handlers ?? [] } })
  stack.defer(() => service.stop())
  await service.start()
  const shop = { name: 'shop', prefix: '', exported: { exported } }
  const config: KongConfig = parse(withRoutes(kong.replaceAll('http://shop:80', service.url), [shop]))
  const gateway = await startGateway({ config, port: 0, drainTimeoutMs: 100 })
  stack.defer(() => gateway.close())
  const used = stack.move()
  return { baseUrl: gateway.url, service, [Symbol.asyncDispose]: () => used.disposeAsync() }
}
