import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder that is deleted when disposed of, and that belongs to `uid` if that is set. */
export function tempDir(uid?: number): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'tsmicro-infra-test-'))
  chmodSync(path, 0o700)
  if (uid !== undefined) chownSync(path, uid, uid)
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
  }
}
