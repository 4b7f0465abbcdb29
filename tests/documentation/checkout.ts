import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inFull } from '../support/size.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/**
 * A copy of the repository in its current state, inside the repository, because /tmp may be small. In CI nothing is installed in it. By
 * hand it shares this repository's packages, which saves each run of the tests an `npm ci`.
 */
export async function freshCheckout(): Promise<AsyncDisposable & { readonly directory: string }> {
  await mkdir(join(ROOT, '.tmp'), { recursive: true })
  const directory = await mkdtemp(join(ROOT, '.tmp', 'checkout-'))
  const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: ROOT,
    maxBuffer: 1e8,
  })
  for (const file of stdout.split('\0').filter(Boolean)) {
    await mkdir(dirname(join(directory, file)), { recursive: true })
    await cp(join(ROOT, file), join(directory, file)).catch(error => {
      // Deleted, but the deletion is not yet committed.
      if (error.code !== 'ENOENT') throw error
    })
  }
  if (!inFull) await run('cp', ['-al', join(ROOT, 'node_modules'), directory])
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true, maxRetries: 5 }) }
}
