import { resolve } from 'node:path'
import { useCompileCache } from './compile-cache.ts'

// Before anything else is loaded, so that it comes from the cache.
useCompileCache(resolve(process.env.DATA_DIR || '.data'), process.env)
const { runCommandLine } = await import('./commands.ts')
runCommandLine()
