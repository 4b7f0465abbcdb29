import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CreateError } from './errors.ts'
import { installPackages } from './install.ts'
import { whyNotName } from './names.ts'
import { tarballsIn, versionsOf } from './packages.ts'
import { projectFiles } from './project-files.ts'
import { serviceFiles } from './service/service-files.ts'

export interface ProjectOptions {
  /** Of the project, its folder and its first service. */
  readonly name: string
  /** The folder in which the project's folder is made. */
  readonly parent: string
  readonly install: boolean
  /** A folder with tarballs of tsmicro's packages, instead of the registry. */
  readonly packages?: string | undefined
  /** Receives a line for each step. */
  readonly say: (line: string) => void
}

/**
 * Makes a project. Nothing is overwritten.
 * @throws {CreateError} for a name that is not one, a folder that is not empty, or packages that cannot be installed
 */
export async function createProject({ name, parent, install, packages, say }: ProjectOptions): Promise<void> {
  const refused = whyNotName(name)
  if (refused) throw new CreateError(refused)
  const folder = join(parent, name)
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new CreateError(`${folder} cannot be used: ${error.message}`)
  })
  if (found.length > 0) throw new CreateError(`${folder} is not empty: choose another name`)
  const tarballs = packages === undefined ? undefined : await tarballsIn(packages)
  const files = { ...projectFiles(name, await versionsOf(tarballs)), ...serviceFiles({ name, port: 8001 }) }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  // With the project, so that its images and its CI have them, too.
  for (const path of tarballs?.values() ?? []) await cp(path, join(folder, 'packages', basename(path)))
  say(`${Object.keys(files).length} files are in ${folder}`)
  if (!install) return
  say('npm installs what it needs …')
  await installPackages(folder)
}
