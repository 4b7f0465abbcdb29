/**
 * Mends what npm leaves in the lockfile; run by `npm run lockfile`, and `npm run check` fails when it is missing.
 *
 * - `engines` that exclude Node 20 go: npm running on it would warn of each of them, and silently skip an optional dependency
 *   such as the packaged nats-server. Everything runs on the Node that the workspace brings.
 * - An entry without `integrity` gets it: npm forgets it for a package that it nests while no addresses are written, and
 *   would then install anything that the registry serves.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { refusesNode20 } from './check/lockfile.ts'
import type { Json } from './check/workspace.ts'

const LOCKFILE = new URL('../package-lock.json', import.meta.url)

const lock = JSON.parse(readFileSync(LOCKFILE, 'utf8'))
for (const entry of Object.values<Json>(lock.packages))
  if (refusesNode20(entry)) delete (entry as { engines?: unknown }).engines

for (const [path, { version, link, integrity }] of Object.entries<Record<string, string>>(lock.packages)) {
  const name = path.split('node_modules/').slice(1).at(-1)
  if (name === undefined || link || integrity) continue
  const answer = execFileSync('npm', ['view', `${name}@${version}`, 'dist.integrity'], { encoding: 'utf8' }).trim()
  if (!/^sha512-/.test(answer)) throw new Error(`The registry tells no integrity of ${name}@${version}`)
  lock.packages[path].integrity = answer
}
writeFileSync(LOCKFILE, `${JSON.stringify(lock, null, 2)}\n`)
