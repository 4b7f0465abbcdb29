import { access } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Finder, type Found, findFirst, type Wanted } from './found.ts'
import { findOnPath } from './path.ts'
import { parseVersion } from './version.ts'

export const DOCUMENTS_WANTED: Wanted = {
  name: 'A MongoDB-compatible server',
  program: 'mongod 6',
  variable: 'MONGODB_URL',
  hint: 'install MongoDB (https://www.mongodb.com/try/download/community)',
}

/** The workspace's own document server: its main program is what is run, by this very Node. */
const embedded: Finder = async problems => {
  const entry = fileURLToPath(import.meta.resolve('@tsmicro/document-server'))
  const binary = join(dirname(entry), 'main.ts')
  try {
    await access(binary)
  } catch {
    problems.push(`${binary} is missing`)
    return undefined
  }
  return { source: 'embedded', binary, version: parseVersion(process.versions.node) ?? [0, 0] }
}

/** The document server to run: the workspace's own, else mongod 6 or later from PATH. Undefined when there is none. */
export function locateDocuments(sources?: readonly Found['source'][], problems?: string[]): Promise<Found | undefined> {
  return findFirst({ embedded, path: seen => findOnPath('mongod', [6, 0], [], seen) }, sources, problems)
}
