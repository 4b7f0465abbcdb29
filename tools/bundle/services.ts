import { globSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '../..')

export const SERVICES = globSync('services/*/src/main.ts', { cwd: ROOT }).map(path => path.split('/')[1] ?? '')

/** Stay outside: argon2, which is native code; MongoDB's driver, one of whose files the framework changes; pg-native, which pg uses if it is there. */
const INSTALLED = ['@node-rs/argon2', 'mongodb', 'pg-native']

/** Libraries in CommonJS call `require` for what belongs to Node. */
const BANNER = "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"

/** Compiles a service to one file of JavaScript, `services/SERVICE/dist/main.js`. */
export async function bundleService(root: string, service: string): Promise<void> {
  const folder = join(root, 'services', service)
  await build({
    entryPoints: [join(folder, 'src/main.ts')],
    outfile: join(folder, 'dist/main.js'),
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node24', sourcemap: true },
    // Names of classes are names of errors.
    keepNames: true,
    external: INSTALLED,
    banner: { js: BANNER },
    logLevel: 'warning',
  })
}
