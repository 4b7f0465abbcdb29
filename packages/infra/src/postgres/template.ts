import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { scratchDir } from '../scratch.ts'
import { makeCluster, type Toolbox } from './cluster.ts'
import { ensureDatabase } from './databases.ts'

const run = promisify(execFile)

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
 * Puts a fresh cluster with the database `app` at `cluster`, as a copy of a template that the first call makes: measured 1.3 s for initdb,
 * 70 ms for `cp -R` (and 1.9 s for fs.cp of its 1,300 files).
 * A template that lost files (temporary folders are swept by age) is made again.
 */
export async function copyTemplate(cluster: string, tools: Toolbox): Promise<void> {
  const template = await templatePath(tools)
  for (let attempt = 1; ; attempt++) {
    await makeCluster(template, tools, {
      durable: false,
      prepare: async draft => {
        await ensureDatabase(draft, 'app', tools, false)
        await writeFile(join(draft, 'entries'), '')
        await writeFile(join(draft, 'entries'), String(await countEntries(draft)))
      },
    })
    try {
      await run('cp', ['-R', template, cluster])
      const expected = Number(await readFile(join(cluster, 'entries'), 'utf8'))
      if ((await countEntries(cluster)) === expected) return
    } catch (error) {
      if (attempt === 3) throw error
    }
    await rm(cluster, { recursive: true, force: true })
    await rm(template, { recursive: true, force: true })
  }
}
