import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { driversOf, environmentOf, placesOf, type ServiceOptions, serviceFiles, whyNotName } from 'create-tsmicro'
import { UsageError } from '../errors.ts'
import { type Addition, addToConfig } from './edit-config.ts'
import { installDrivers, installWorkspace } from './install.ts'
import type { Project } from './project.ts'
import { refuseTaken, regenerate, writeAll } from './written.ts'

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
  const addition: Addition = {
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
  }
  const prepare = async () => {
    const before = await readFile(configFile, 'utf8')
    const edited = addToConfig(configFile, before, addition)
    return edited && { before, ...edited, files: serviceFiles({ ...options, port: edited.port }) }
  }
  const first = await prepare()
  if (first) refuseTaken(root, first.files)
  // Before anything is written, as a service whose drivers are missing would keep the whole system from starting.
  if (first && install && scope === undefined) await installDrivers(project, driversOf(options), write)
  // Meanwhile somebody may have changed the configuration.
  const prepared = first && (await prepare())
  if (!prepared) {
    write(`${configFile} has a service ${name} already: nothing was changed\n`)
    return
  }
  const { before, text, port, files } = prepared
  await writeAll(project, { files, edited: [{ file: relative(root, resolve(configFile)), before, text }] }, write)
  if (install && scope !== undefined) await installWorkspace(project, write)
  if (install || scope === undefined) await regenerate(project, write)
  write(`${name} has port ${port}\n`)
}
