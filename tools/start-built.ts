import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { buildAll } from './build/packages.ts'
import { bundleService, SERVICES } from './bundle/services.ts'
import { runCommand } from './command-line.ts'

const HELP = `npm run start:built [-- options of tsmicro start]

Runs the platform as it is delivered: the services as the bundles of their images, the gateway and the tsmicro command as the packages that are
published. Builds all of that first; with --no-build as the first option it takes what was built before.`

const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')
const CONFIG = join(DIST, 'tsmicro.config.js')

/** The system of the repository, with other programs. Paths in it are relative to its file, in dist. */
const BUILT = `
import { defineSystem } from '@tsmicro/cli'
import system from './tsmicro.config.ts'

const bundled = ([name, service]) => [name, { ...service, entry: '../' + service.entry.replace('src/main.ts', 'dist/main.js') }]
const { commands, contracts, services, gateway, ...rest } = system
export default defineSystem({
  ...rest,
  services: Object.fromEntries(Object.entries(services).map(bundled)),
  gateway: {
    ...gateway,
    entry: './gateway.js',
    config: '../' + gateway.config,
    loadBalancedConfig: '../' + gateway.loadBalancedConfig,
  },
})
`

const GATEWAY = `import { runGatewayCommand } from '@tsmicro/gateway/command'
process.exit(await runGatewayCommand(process.argv.slice(2), { usage: 'gateway', name: 'gateway' }))
`

async function buildSystem(): Promise<void> {
  await buildAll(ROOT, name => console.log(`building ${name}`))
  for (const service of SERVICES) {
    console.log(`bundling ${service}`)
    await bundleService(ROOT, service)
  }
  await build({
    stdin: { contents: BUILT, resolveDir: ROOT, sourcefile: 'built.js' },
    outfile: CONFIG,
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node24', keepNames: true, logLevel: 'warning' },
    plugins: [
      {
        // tsmicro's own are found in dist/node_modules then, so that nothing of their sources is used.
        name: 'installed packages stay outside',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^[^./]/ }, ({ path }) =>
            path.startsWith('@blog-platform/') ? undefined : { path, external: true },
          ),
      },
    ],
  })
  await writeFile(join(DIST, 'gateway.js'), GATEWAY)
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
