import { CreateError, runCreate } from 'create-tsmicro'
import { UsageError } from './errors.ts'

/** Makes a project, as `npm create tsmicro` does. @returns the exit code @throws UsageError */
export async function runNew(args: readonly string[], write: (text: string) => void): Promise<number> {
  try {
    await runCreate(args, { usage: 'tsmicro new NAME', example: 'tsmicro new shop && cd shop && npm start', write })
    return 0
  } catch (error) {
    throw error instanceof CreateError ? new UsageError(error.message) : error
  }
}
