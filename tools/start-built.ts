import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { buildAll } from './build/packages.ts'
import { bundleService, SERVICES } from './bundle/services.ts'
import { bundleSystem } from './bundle/system.ts'
import { runCommand } from './command-line.ts'

const HELP = `npm run start:built [-- options of tsmicro start]

Runs the platform as it is delivered: the services as the bundles of their images, the gateway and the tsmicro command as the packages that are
published. Builds all of that first; with --no-build as the first option it takes what was built before.`

const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')
const CONFIG = join(DIST, 'tsmicro.config.js')

async function buildSystem(): Promise<void> {
  await buildAll(ROOT, name => console.log(`building ${name}`))
  for (const service of SERVICES) {
    console.log(`bundling ${service}`)
    await bundleService(ROOT, service)
  }
  await bundleSystem(ROOT, DIST)
}

await runCommand('npm run start:built', HELP, async ([first, ...rest]) => {
  const isBuilt = first === '--no-build'
  if (!isBuilt) await buildSystem()
  else if (!existsSync(CONFIG)) throw new Error('nothing was built yet: leave --no-build out')
  const options = isBuilt || first === undefined ? rest : [first, ...rest]
  const main = join(DIST, 'node_modules', '@tsmicro', 'cli', 'dist', 'main.js')
  const flags = ['--disable-warning=ExperimentalWarning']
  const child = spawn(process.execPath, [...flags, main, 'start', '--config', CONFIG, ...options], {
    cwd: ROOT,
    stdio: 'inherit',
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
})
