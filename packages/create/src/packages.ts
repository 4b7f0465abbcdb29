import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CreateError } from './errors.ts'

/** A project needs these itself; the others come with them. */
const DIRECT = ['tsmicro', '@tsmicro/cli']

/**
 * What a manifest says of tsmicro's packages, by their names.
 * @param directory tarballs to use; all are named then, so that npm asks its registry for none of them
 */
export async function versionsOf(directory: string | undefined): Promise<Readonly<Record<string, string>>> {
  if (directory === undefined) {
    const { version } = JSON.parse(await readFile(new URL(import.meta.resolve('create-tsmicro/package.json')), 'utf8'))
    return Object.fromEntries(DIRECT.map(name => [name, `^${version}`]))
  }
  const names = await readdir(directory).catch(() => [])
  const found = names.flatMap(file => {
    const [, scoped, plain] = /^(?:tsmicro-([a-z][a-z-]*)|([a-z][a-z-]*))-\d+\.\d+\.\d+.*\.tgz$/.exec(file) ?? []
    const name = scoped ? `@tsmicro/${scoped}` : plain
    return name ? [[name, `file:${join(resolve(directory), file)}`] as const] : []
  })
  const versions = Object.fromEntries(found)
  for (const name of DIRECT)
    if (!versions[name])
      throw new CreateError(`${directory} has no tarball of ${name}: npm run tarballs -- ${directory}`)
  return versions
}
