import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

interface Bundle {
  readonly code: string
  /** Compressed, as servers send it. */
  readonly gzipBytes: number
  /** Files that are part of the bundle. */
  readonly files: readonly string[]
  /** Imports left to be loaded at run time, in the worst case from Node. */
  readonly outside: readonly string[]
}

/** Bundles TypeScript for browsers, as an application's build would. */
export async function bundle(contents: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
    logLevel: 'silent',
  })
  const [output] = Object.values(metafile.outputs)
  const code = outputFiles[0]?.text ?? ''
  const used = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return {
    code,
    gzipBytes: gzipSync(code, { level: 9 }).length,
    files: used.map(([file]) => file),
    outside: (output?.imports ?? []).map(({ path }) => path),
  }
}
