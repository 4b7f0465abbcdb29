import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for certificates, which is deleted when disposed of. */
export function certificateFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'tsmicro-certificates-'))
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  return {
    write,
    /** Writes a certificate with its key. */
    pair: (name: string, { cert, key }: { readonly cert: string; readonly key: string }) => ({
      certFile: write(`${name}.pem`, cert),
      keyFile: write(`${name}.key`, key),
    }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
