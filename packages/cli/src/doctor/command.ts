import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readEnvironment } from '../command-line.ts'
import { type LoadedConfig, loadConfig } from '../config.ts'
import { CliError, UsageError } from '../errors.ts'
import { choosePaint } from '../output/log.ts'
import { attempt, type Finding, missing, note, ok } from './check.ts'
import { checkClock, checkDataFolder, checkDisk, checkNode, checkPermissions, checkPort, holderOf } from './machine.ts'
import { checkServers } from './servers.ts'

const HELP = `Usage: tsmicro doctor [--json]

Says what the system of this folder needs, what of it is missing here, and how to get it: Node, the servers, ports, permissions,
the data folder, disk, clock. Starts and changes nothing. Without a tsmicro.config.ts it looks for all servers.

Options:
  --json           print JSON: { "ok": boolean, "findings": [{ "name", "state", "found", "hint" }] }; state is ok, note or missing
  --config FILE    the system (default tsmicro.config.ts), before doctor
  --help           show this text

Environment: the same as for tsmicro start, such as DATA_DIR, GATEWAY_PORT, DATABASE_URL.

Exit code: 0 when nothing is missing; 1 when something is; 2 for wrong arguments.

Example: DATABASE_URL=postgres://me:secret@db:5432/shop tsmicro doctor --json
`

export interface DoctorCommand {
  readonly configFile: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly stdout: { readonly isTTY?: boolean; write(text: string): unknown }
}

/** @returns the exit code @throws UsageError for wrong arguments */
export async function runDoctor({ configFile, args, env, stdout }: DoctorCommand): Promise<number> {
  const { help, json } = readArguments(args)
  if (help) {
    stdout.write(HELP)
    return 0
  }
  const findings = await examine(configFile, env)
  const isWell = findings.every(({ state }) => state !== 'missing')
  if (json) stdout.write(`${JSON.stringify({ ok: isWell, findings }, null, 2)}\n`)
  else stdout.write(render(findings, choosePaint(stdout.isTTY === true, env)))
  return isWell ? 0 : 1
}

function readArguments(args: readonly string[]) {
  const options = {
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

async function examine(configFile: string, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const [system, loaded] = await checkSystem(configFile)
  const [variables, environment] = checkVariables(env)
  const { dataDir = '.data', gatewayPort = 8000, urls = {} } = environment ?? {}
  const machine = await Promise.all([
    attempt('node', checkNode),
    [system, ...variables],
    checkServers(loaded?.config, urls),
    attempt('ports', () => checkPorts(loaded, gatewayPort, dataDir)),
    attempt('user', checkPermissions),
    attempt('data folder', () => checkDataFolder(dataDir)),
    attempt('disk', () => checkDisk(dataDir)),
    attempt('clock', checkClock),
  ])
  return machine.flat()
}

async function checkSystem(configFile: string): Promise<[Finding, LoadedConfig | undefined]> {
  const name = 'system'
  if (!existsSync(configFile))
    return [note(name, `there is no ${configFile} here`, 'tsmicro new NAME makes a project'), undefined]
  try {
    const loaded = await loadConfig(configFile)
    const services = Object.keys(loaded.config.services)
    return [ok(name, `${resolve(configFile)}: ${services.join(', ')}`), loaded]
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const isUninstalled = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    const hint = isUninstalled ? 'run npm install' : error instanceof CliError ? undefined : 'correct the file'
    return [missing(name, `${configFile} cannot be used: ${text.split('\n', 1)[0]}`, hint), undefined]
  }
}

function checkVariables(env: NodeJS.ProcessEnv): [Finding[], ReturnType<typeof readEnvironment> | undefined] {
  try {
    return [[], readEnvironment(env)]
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return [[missing('environment', error.message, 'correct the variable, or unset it')], undefined]
  }
}

/** Those of a system that runs are taken by itself. */
async function checkPorts(loaded: LoadedConfig | undefined, gatewayPort: number, dataDir: string): Promise<Finding[]> {
  if (loaded === undefined || (await holderOf(resolve(dataDir))) !== undefined) return []
  const { services, gateway } = loaded.config
  return Promise.all([
    ...(gateway ? [checkPort('the gateway', gatewayPort, true)] : []),
    ...Object.entries(services).map(([name, { port }]) => checkPort(name, port, false)),
  ])
}

function render(findings: readonly Finding[], paint: ReturnType<typeof choosePaint>): string {
  const width = Math.max(...findings.map(({ name }) => name.length))
  const marks = { ok: paint('green', '✓'), note: paint('yellow', '–'), missing: paint('red', '✗') }
  const lines = findings.map(({ name, state, found, hint }) => {
    const advice = hint ? `\n  ${' '.repeat(width)}  ${paint('bold', '→')} ${hint}` : ''
    return `${marks[state]} ${name.padEnd(width)}  ${found}${advice}\n`
  })
  const count = findings.filter(({ state }) => state === 'missing').length
  const end =
    count === 0 ? 'Nothing is missing.' : count === 1 ? 'One thing is missing.' : `${count} things are missing.`
  return `${lines.join('')}\n${end}\n`
}
