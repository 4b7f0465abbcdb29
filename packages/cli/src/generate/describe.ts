import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { childEnvironment, NODE_FLAGS, type Server } from '@tsmicro/infra'
import type { InfraName, System, SystemConfig } from '../config-types.ts'
import { CliError } from '../errors.ts'
import { describeSystem } from '../start/system.ts'
import type { ServiceDescription } from './types.ts'

/** Only ends a hang: an idle machine needs a second. */
const LIMIT_MS = 120_000

/** Nobody is there, and nobody connects to it. */
const NOWHERE: Readonly<Record<InfraName, string>> = {
  nats: 'nats://nowhere:4222',
  postgres: 'postgres://nowhere:5432/app',
  documents: 'mongodb://nowhere:27017',
  redis: 'redis://nowhere:6379',
}

const DESCRIBED = { NODE_ENV: 'development', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'error' }

/**
 * What the services of a system say of themselves. Each program runs as far as `runService`, in the environment that the configuration
 * gives it, but with servers that are not there.
 * @throws CliError if a program ends before
 */
export async function describeServices(config: SystemConfig, root: string): Promise<readonly ServiceDescription[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tsmicro-generate-'))
  try {
    const system = imagined(config, dataDir)
    return await Promise.all(
      Object.entries(config.services).map(async ([name, service]) => {
        const env = service.env?.(system) ?? {}
        const given = { ...childEnvironment(process.env, service.passEnv ?? []), ...DESCRIBED, ...env }
        return { ...(await description(name, resolve(root, service.entry), root, given)), env }
      }),
    )
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

function imagined({ infra, services }: SystemConfig, dataDir: string): System {
  const servers = infra.map(name => [name, { name, url: NOWHERE[name], source: 'url' } as Server] as const)
  const addresses = Object.entries(services).map(([name, { port }]) => [name, { url: `http://${name}:${port}` }])
  const gateway = { url: 'http://gateway:8000' }
  return describeSystem(dataDir, new Map(servers), Object.fromEntries(addresses), gateway, undefined, new Set())
}

type Described = Omit<ServiceDescription, 'env'>

async function description(
  name: string,
  entry: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Described> {
  const child = fork(entry, {
    cwd,
    execArgv: [...NODE_FLAGS],
    env: { ...env, TSMICRO_DESCRIBE: 'true' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', text => (output += text))
  let described: Described | undefined
  child.on('message', message => {
    described = message as Described
  })
  await new Promise<void>((ended, failed) => {
    child.on('error', error => failed(new CliError(`${name}: ${error.message}`)))
    child.on('close', () => ended())
  })
  if (!described)
    throw new CliError(
      `${name} does not say what it is: ${entry} has to reach runService without a connection. It said: ${output.trim() || 'nothing'}`,
    )
  return described
}
