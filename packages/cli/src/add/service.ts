import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { driversOf, environmentOf, placesOf, type ServiceOptions, serviceFiles, whyNotName } from 'create-tsmicro'
import { CliError, UsageError } from '../errors.ts'
import { addToConfig } from './edit-config.ts'
import { installDrivers, installWorkspace } from './install.ts'
import type { Project } from './project.ts'
import { regenerate, writeAll } from './written.ts'

export interface NewService {
  readonly name: string
  readonly store: ServiceOptions['store']
  readonly install: boolean
}

const INFRA = { postgres: ['postgres'], mongo: ['documents'] }

/** `tsmicro add service`. @throws CliError if something is in the way: then nothing is written */
export async function addService(project: Project, wanted: NewService, write: (text: string) => void): Promise<void> {
  const { name, store, install } = wanted
  const refused = whyNotName(name)
  if (refused) throw new UsageError(refused)
  const { root, configFile, config, scope, versions } = project
  const gateway = config.gateway !== undefined
  const options: ServiceOptions = { name, store, scope, gateway, port: 0, versions }
  const places = placesOf(options)
  const nats = config.nats === undefined ? 'system.nats.url' : `system.natsAs('${name}').url`
  const edited = addToConfig(configFile, await readFile(configFile, 'utf8'), {
    service: name,
    members: [
      `entry: '${places.main}'`,
      `contract: '${places.contract}'`,
      ...(scope === undefined ? [] : [`recorded: 'contracts/${name}/recorded.json'`]),
    ],
    env: [
      ...environmentOf(options, nats),
      ...(gateway ? ["REQUIRE_GATEWAY: 'true'", "GATEWAY_SECRET: keptSecret(system.dataDir, 'gateway')"] : []),
    ],
    infra: ['nats', ...(store ? INFRA[store] : [])],
    uses: gateway ? ['keptSecret'] : [],
  })
  if (!edited) {
    write(`${configFile} has a service ${name} already: nothing was changed\n`)
    return
  }
  const files = serviceFiles({ ...options, port: edited.port })
  const taken = Object.keys(files).filter(path => existsSync(join(root, path)))
  if (taken.length > 0) throw new CliError(`${taken.join(', ')} exist already: nothing was changed`)
  // First, as a service whose drivers are missing would keep the whole system from starting.
  if (install && scope === undefined) await installDrivers(project, driversOf(options), write)
  await writeAll(project, { files, edited: { [relative(root, resolve(configFile))]: edited.text } }, write)
  if (install && scope !== undefined) await installWorkspace(project, write)
  if (install || scope === undefined) await regenerate(project, write)
  write(`${name} has port ${edited.port}\n`)
}
