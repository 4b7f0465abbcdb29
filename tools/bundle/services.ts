import { globSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from './bundle.ts'

const ROOT = join(import.meta.dirname, '../..')

export const SERVICES = globSync('services/*/src/main.ts', { cwd: ROOT }).map(path => path.split('/')[1] ?? '')

/** Compiles a service to `services/SERVICE/dist`. */
export function bundleService(root: string, service: string): Promise<void> {
  const folder = join(root, 'services', service)
  return bundle(join(folder, 'src/main.ts'), join(folder, 'dist'))
}
