import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

interface Bundle {
  readonly code: string
  /** As servers send it. */
  readonly gzipBytes: number
  /** Files that something is taken of. */
  readonly files: readonly string[]
  /** What is left to be loaded by whoever runs it: of Node, in the worst case. */
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
    conditions: ['@tsmicro/source'],
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
