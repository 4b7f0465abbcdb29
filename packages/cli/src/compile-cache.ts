import { existsSync, lstatSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { join } from 'node:path'

/** Where Node keeps compiled code and TypeScript without its types, in a data folder. */
export const compileCacheIn = (dataDir: string): string => join(dataDir, 'compile-cache')

/**
 * Makes this process and the document server use the compile cache of a data folder that is there already: both then need half the time to
 * start. Another one that is named in the environment is left alone, and so is a folder that somebody else may have written: what is in
 * the cache is executed.
 */
export function useCompileCache(dataDir: string, env: NodeJS.ProcessEnv): void {
  if (env.NODE_COMPILE_CACHE !== undefined || env.NODE_DISABLE_COMPILE_CACHE !== undefined) return
  const folder = compileCacheIn(dataDir)
  if (!isOurs(dataDir) || !existsSync(folder)) return
  enableCompileCache(folder)
  env.NODE_COMPILE_CACHE = folder
}

/** Whether nobody else can write in a folder. A link is not followed. */
function isOurs(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o077) === 0
}

/** Writes what this process has compiled, which Node does by itself only when a process ends in order. */
export const keepCompiled = (): void => flushCompileCache()
