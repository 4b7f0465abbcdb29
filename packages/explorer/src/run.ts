import { pathToFileURL } from 'node:url'
import { NatsClient } from 'tsmicro'
import type { Contract } from 'tsmicro/contract'
import { contractsIn, eventsOf, proceduresOf } from 'tsmicro/internal'
import { catalogueOf } from './catalogue.ts'
import type { SignIn } from './catalogue-types.ts'
import type { Target } from './http-calls.ts'
import { createNatsCalls } from './nats-calls.ts'
import { type Explorer, startExplorer } from './server.ts'

interface RunOptions {
  /** 0 for a free one. */
  readonly port: number
  readonly token: string
  /** Paths of modules that export contracts. */
  readonly contracts: readonly string[]
  /** The gateway's address; each service is below its name there. Undefined = the services are asked themselves. */
  readonly gatewayUrl?: string | undefined
  /** The services' own addresses by their names, for a system without a gateway. */
  readonly serviceUrls: Readonly<Record<string, string>>
  /** NATS as a user who may call what people may call: `natsExplorerOf`. */
  readonly natsUrl?: string | undefined
  readonly signIn?: SignIn | undefined
}

/** Loads the contracts and serves the explorer. Throws an `Error` for a module that cannot be loaded, and a port that cannot be used. */
export async function runExplorer(options: RunOptions): Promise<Explorer> {
  const { port, token, gatewayUrl, serviceUrls, natsUrl, signIn } = options
  const modules = await Promise.all(
    options.contracts.map(async path => contractsIn(await import(pathToFileURL(path).href))),
  )
  const catalogue = catalogueOf(modules, { hasGateway: gatewayUrl !== undefined, signIn })
  const targets = new Map<string, Target>()
  for (const { name } of catalogue.services) {
    const own = serviceUrls[name]
    if (gatewayUrl !== undefined)
      targets.set(name, { url: `${gatewayUrl.replace(/\/$/, '')}/${name}`, isDirect: false })
    else if (own !== undefined) targets.set(name, { url: own.replace(/\/$/, ''), isDirect: true })
  }
  const all = modules.flat()
  const contracts = new Map(
    catalogue.services.map(({ name }) => [name, all.filter(each => serviceOf(each, modules) === name)]),
  )
  if (natsUrl === undefined) return startExplorer({ port, token, catalogue, contracts, targets, callNats: undefined })

  const nats = new NatsClient({ url: natsUrl, name: 'explorer', batching: false })
  // NATS may start later, or be restarted: calls say so until it is there.
  const connecting = connectPatiently(nats)
  const callNats = createNatsCalls({ nats, contracts: all, targets })
  try {
    const explorer = await startExplorer({ port, token, catalogue, contracts, targets, callNats })
    const close = async () => {
      connecting.stop()
      await explorer.close()
      await nats.close()
    }
    return { url: explorer.url, close }
  } catch (error) {
    connecting.stop()
    await nats.close()
    throw error
  }
}

const RETRY_MS = 1000

function connectPatiently(nats: NatsClient): { stop(): void } {
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const attempt = () =>
    nats.connect().catch(() => {
      if (!isOver) timer = setTimeout(attempt, RETRY_MS)
    })
  void attempt()
  return {
    stop: () => {
      isOver = true
      clearTimeout(timer)
    },
  }
}

/** The service of a contract. One with events alone belongs to the service of its module. */
function serviceOf(contract: Contract, modules: readonly (readonly Contract[])[]): string | undefined {
  const [own] = proceduresOf(contract)
  if (own) return own.service
  const module = modules.find(each => each.includes(contract)) ?? []
  return module.flatMap(proceduresOf)[0]?.service ?? eventsOf(contract)[0]?.subject.split('.', 1)[0]
}
