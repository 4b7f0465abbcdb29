import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { CliError } from '../errors.ts'
import { driverVersions, type Project, readManifest } from './project.ts'

/** Installs drivers in the versions that tsmicro is made for, unless the project has them. */
export async function installDrivers({ root }: Project, names: readonly string[], write: (text: string) => void) {
  const { dependencies = {} } = readManifest(join(root, 'package.json'))
  const versions = driverVersions()
  const missing = names.filter(name => !(name in dependencies)).map(name => `${name}@${versions[name]}`)
  if (missing.length > 0) await npm(root, write, 'install', ...missing)
}

/** Makes the new packages of a workspace known, and the lockfile as the project wants it. */
export async function installWorkspace({ root }: Project, write: (text: string) => void): Promise<void> {
  await npm(root, write, 'install')
  if (readManifest(join(root, 'package.json')).scripts?.lockfile) await npm(root, write, 'run', 'lockfile')
}

async function npm(root: string, write: (text: string) => void, ...args: readonly string[]): Promise<void> {
  write(`npm ${args.join(' ')}\n`)
  const quiet = args[0] === 'install' ? ['--no-audit', '--no-fund', '--loglevel=error'] : []
  const child = spawn('npm', [...args, ...quiet], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const code = await once(child, 'exit').then(
    ([status]) => status,
    (error: Error) => error.message,
  )
  if (code !== 0) throw new CliError(`npm ${args[0]} failed (${code})`)
}
