import { readFileSync } from 'node:fs'
import { locateNats } from '@tsmicro/infra'
import { machineLine } from '../../common/machine.ts'
import { DEPENDENCIES, ROOT } from '../../install.ts'

const FRAMEWORK = new URL('packages/tsmicro/package.json', ROOT)
const RIVALS = ['@nats-io/transport-node', 'moleculer', '@nestjs/core', '@nestjs/microservices']

/** One line: what the figures were measured on and with. */
export async function machine(): Promise<string> {
  const nats = await locateNats()
  const { version }: { version: string } = JSON.parse(readFileSync(FRAMEWORK, 'utf8'))
  const rivals = RIVALS.map(name => `${name} ${DEPENDENCIES[name]}`)
  return machineLine([
    `nats-server ${nats?.version.join('.') ?? 'of unknown version'}`,
    `tsmicro ${version}`,
    ...rivals,
  ])
}
