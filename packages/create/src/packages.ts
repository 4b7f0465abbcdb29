import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CreateError } from './errors.ts'

/** A project needs these itself; the others come with them. */
const DIRECT = ['tsmicro', '@tsmicro/cli']

/** The tarballs of tsmicro's packages in a folder, by the packages' names. */
export async function tarballsIn(directory: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(directory).catch(() => [])
  const found = names.flatMap(file => {
    const [, scoped, plain] = /^(?:tsmicro-([a-z][a-z-]*)|([a-z][a-z-]*))-\d+\.\d+\.\d+.*\.tgz$/.exec(file) ?? []
    const name = scoped ? `@tsmicro/${scoped}` : plain
    return name ? [[name, join(directory, file)] as const] : []
  })
  const tarballs = new Map(found)
  for (const name of DIRECT)
    if (!tarballs.has(name))
      throw new CreateError(`${directory} has no tarball of ${name}: npm run tarballs -- ${directory}`)
  return tarballs
}

/**
 * What a manifest says of tsmicro's packages, by their names.
 * @param tarballs all are named if there are any, so that npm asks its registry for none of them
 */
export async function versionsOf(
  tarballs: ReadonlyMap<string, string> | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (tarballs)
    return Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:packages/${basename(path)}`]))
  const { version } = JSON.parse(await readFile(new URL(import.meta.resolve('create-tsmicro/package.json')), 'utf8'))
  return Object.fromEntries(DIRECT.map(name => [name, `^${version}`]))
}
