import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { scratchDir } from '../scratch.ts'
import { makeCluster, type Toolbox } from './cluster.ts'
import { ensureDatabase } from './databases.ts'

async function countEntries(dir: string): Promise<number> {
  return (await readdir(dir, { recursive: true })).length
}

/** Where this user's template for this very program lies. */
async function templatePath({ found, identity }: Toolbox): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([found.binary, found.version, identity]))
    .digest('hex')
    .slice(0, 12)
  return join(await scratchDir(), `postgres-template-${key}`)
}

/**
 * Puts a fresh cluster with the database `app` at `cluster`, as a copy of a template that the first call makes: measured 1.3 s for initdb, 0.2 s for a copy.
 * A template that lost files (temporary folders are swept by age) is made again.
 */
export async function copyTemplate(cluster: string, tools: Toolbox): Promise<void> {
  const template = await templatePath(tools)
  for (;;) {
    await makeCluster(template, tools, {
      durable: false,
      prepare: async draft => {
        await ensureDatabase(draft, 'app', tools)
        await writeFile(join(draft, 'entries'), '')
        await writeFile(join(draft, 'entries'), String(await countEntries(draft)))
      },
    })
    try {
      await cp(template, cluster, { recursive: true, mode: constants.COPYFILE_FICLONE })
      const expected = Number(await readFile(join(cluster, 'entries'), 'utf8'))
      if ((await countEntries(cluster)) === expected) return
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
    await rm(cluster, { recursive: true, force: true })
    await rm(template, { recursive: true, force: true })
  }
}
