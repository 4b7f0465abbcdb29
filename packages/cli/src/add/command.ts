import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { postgresServiceFiles, serviceFiles, whyNotName } from 'create-tsmicro'
import { CliError, UsageError } from '../errors.ts'
import { addToConfig } from './edit-config.ts'

const HELP = `Usage: tsmicro add service NAME [--postgres] [--no-install]

Writes a service into this project: its contract, module, program and test, and its entry in tsmicro.config.ts.

Options:
  --postgres     with a database of its own: a migration, a repository, a test with a real server
  --no-install   do not run npm install for what it needs
  --help         show this text

Example: tsmicro add service orders --postgres
`

/** What the drivers of a store are called, beside tsmicro itself. */
const DRIVERS = ['kysely', 'pg']

/** @returns the exit code */
export async function runAdd(
  args: readonly string[],
  configFile: string,
  write: (text: string) => void,
): Promise<number> {
  const { values, positionals } = readArguments(args)
  if (values.help) {
    write(HELP)
    return 0
  }
  const [kind, name, ...more] = positionals
  if (kind !== 'service' || name === undefined || more.length > 0)
    throw new UsageError('say what to add: tsmicro add service NAME')
  const refused = whyNotName(name)
  if (refused) throw new UsageError(refused)
  const root = dirname(resolve(configFile))
  if (!existsSync(configFile)) throw new CliError(`${configFile} does not exist: run this in the project's folder`)
  const files = values.postgres ? postgresServiceFiles(name) : serviceFiles(name)
  const edited = addToConfig(configFile, await readFile(configFile, 'utf8'), {
    service: name,
    entry: `services/${name}/main.ts`,
    ...(values.postgres
      ? {
          env: `{ NATS_URL: system.nats.url, DATABASE_URL: system.postgresDatabase('${name.replaceAll('-', '_')}').url }`,
          infra: ['nats', 'postgres'],
        }
      : { env: '{ NATS_URL: system.nats.url }', infra: ['nats'] }),
  })
  const taken = Object.keys(files).filter(path => existsSync(join(root, path)))
  if (!edited) {
    write(`${configFile} has a service ${name} already: nothing was changed\n`)
    return 0
  }
  if (taken.length > 0) throw new CliError(`${taken.join(', ')} exist already: nothing was changed`)
  // First, as a service whose drivers are missing would keep the whole system from starting.
  if (values.postgres && !values['no-install']) await install(root, DRIVERS, write)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
    write(`+ ${path}\n`)
  }
  await writeFile(configFile, edited.text)
  write(`~ ${configFile}: port ${edited.port}\n`)
  return 0
}

function readArguments(args: readonly string[]) {
  const options = {
    postgres: { type: 'boolean', default: false },
    'no-install': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** In the versions that tsmicro is made for, unless the project has them. */
async function install(root: string, names: readonly string[], write: (text: string) => void): Promise<void> {
  const { peerDependencies } = JSON.parse(
    readFileSync(fileURLToPath(import.meta.resolve('tsmicro/package.json')), 'utf8'),
  )
  const { dependencies = {} } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const missing = names.filter(name => !(name in dependencies)).map(name => `${name}@${peerDependencies[name]}`)
  if (missing.length === 0) return
  write(`npm install ${missing.join(' ')}\n`)
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...missing]
  const child = spawn('npm', args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const code = await once(child, 'exit').then(
    ([status]) => status,
    (error: Error) => error.message,
  )
  if (code !== 0) throw new CliError(`npm install failed (${code}): nothing was added`)
}
