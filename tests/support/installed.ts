import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Whether a folder with a `package.json` of its own has each dependency installed in its version. */
export async function isInstalled(folder: string): Promise<boolean> {
  const manifest = async (path: string) => JSON.parse(await readFile(join(folder, path), 'utf8'))
  const { dependencies } = await manifest('package.json')
  const found = await Promise.allSettled(
    Object.entries(dependencies).map(
      async ([name, version]) => (await manifest(`node_modules/${name}/package.json`)).version === version,
    ),
  )
  return found.every(result => result.status === 'fulfilled' && result.value)
}
