import { globSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'

/** The system of the repository, with other programs. Paths in it are relative to its file, in dist. Nothing is recorded or generated from there. */
const BUILT = `
import { defineSystem } from '@tsmicro/cli'
import system from './tsmicro.config.ts'

const bundled = ([name, { recorded, contract, ...service }]) => [
  name,
  {
    ...service,
    entry: '../' + service.entry.replace('src/main.ts', 'dist/main.js'),
    ...(contract && { contract: './' + contract.replace('/src/index.ts', '.js') }),
  },
]
const { commands, contracts, generators, services, gateway, ...rest } = system
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

/** tsmicro's own packages are found in dist/node_modules then, so that nothing of their sources is used. */
const OUTSIDE: Plugin = {
  name: 'installed packages stay outside',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path }) =>
      path.startsWith('@blog-platform/') ? undefined : { path, external: true },
    ),
}

/** Writes what runs the bundled services: `tsmicro.config.js`, the contracts, which the explorer shows, and `gateway.js`. */
export async function bundleSystem(root: string, folder: string): Promise<void> {
  const modules = globSync('contracts/*/src/index.ts', { cwd: root })
  const contracts = modules.map(path => [path.replace('/src/index.ts', ''), join(root, path)])
  const options: BuildOptions = {
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node24', keepNames: true, logLevel: 'warning' },
    plugins: [OUTSIDE],
  }
  await build({ ...options, entryPoints: Object.fromEntries(contracts), outdir: folder })
  await build({
    ...options,
    stdin: { contents: BUILT, resolveDir: root, sourcefile: 'built.js' },
    outfile: join(folder, 'tsmicro.config.js'),
  })
  await writeFile(join(folder, 'gateway.js'), GATEWAY)
}
