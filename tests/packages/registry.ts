import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Why packages cannot be installed here, if they cannot: a machine may be offline, which is not ours to mend. */
export async function outside(): Promise<string | false> {
  if (!process.env.CI) return 'by hand nothing is installed for a test'
  const answered = promisify(execFile)('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=20000'])
  return answered.then(
    () => false,
    () => 'npm cannot reach its registry',
  )
}
