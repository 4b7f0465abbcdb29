import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Contract } from 'tsmicro/contract'
import { asyncApiOf, contractsIn, eventsOf, proceduresOf } from 'tsmicro/internal'
import { CliError, UsageError } from '../errors.ts'

/**
 * The AsyncAPI document of a service, from the contracts in its modules.
 * @param paths of modules that export contracts
 * @param wanted the service; may be left out if there is one
 * @throws UsageError if there is no such service, or several to choose from
 */
export async function asyncApiDocument(paths: readonly string[], wanted: string | undefined): Promise<object> {
  const modules = await Promise.all(
    paths.map(async path => {
      const exported: unknown = await import(pathToFileURL(path).href)
      if (typeof exported !== 'object' || exported === null) throw new CliError(`${path} exports no contracts`)
      const contracts = contractsIn(exported)
      return { path, contracts, service: serviceOf(contracts) }
    }),
  )
  const names = [...new Set(modules.flatMap(({ service }) => service ?? []))]
  const name = wanted ?? (names.length === 1 ? names[0] : undefined)
  const own = modules.filter(({ service }) => service === name)
  if (name === undefined || own.length === 0)
    throw new UsageError(`name a service: tsmicro contracts asyncapi ${names.join('|')}`)
  const about = aboutModule(own[0]?.path ?? '')
  return asyncApiOf(
    { title: name, ...about },
    own.flatMap(({ contracts }) => contracts),
  )
}

/** The service of a module's contracts. A contract with events alone does not say it, but the others of its module do. */
function serviceOf(contracts: readonly Contract[]): string | undefined {
  const [procedure] = contracts.flatMap(proceduresOf)
  const [event] = contracts.flatMap(eventsOf)
  return procedure?.service ?? event?.subject.split('.', 1)[0]
}

/** Version and licence, as the nearest package.json says them. */
function aboutModule(path: string): { readonly version: string; readonly license?: string } {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file)) {
      const { version = '0.0.0', license } = JSON.parse(readFileSync(file, 'utf8'))
      return { version: String(version), ...(typeof license === 'string' ? { license } : {}) }
    }
    if (folder === dirname(folder)) return { version: '0.0.0' }
  }
}
