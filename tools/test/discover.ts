import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** One test file and the part of the workspace that it belongs to. */
export type TestFile = {
  /** Path from the root, with forward slashes. */
  readonly path: string
  /** What `npm test -- <name>` may call it: folder (`packages/gateway`), folder name (`gateway`), package name. */
  readonly names: readonly string[]
  /** Why the whole of it runs in CI alone, from its first line: `// CI alone: …`, which says what shows the same by hand. */
  readonly ciAlone?: string
}

const PATTERNS = [
  // The whole-platform tests take longest: first, so that nothing waits for them at the end. Those of the tools wait much.
  'tests/**/*.test.ts',
  'tools/**/*.test.ts',
  '{packages,contracts,services}/*/{src,tests}/**/*.test.ts',
  'bench/**/*.test.ts',
]

/** Every `*.test.ts` of the workspace under `root`. */
export function discover(root: string): TestFile[] {
  const exclude = (path: string) => /(^|[\\/])(node_modules|dist)$/.test(path)
  return PATTERNS.flatMap(pattern =>
    globSync(pattern, { cwd: root, exclude })
      .map(path => path.replaceAll('\\', '/'))
      .sort()
      .map(path => ({ path, names: namesOf(root, path), ...ciAlone(join(root, path)) })),
  )
}

function ciAlone(path: string): Pick<TestFile, 'ciAlone'> {
  const why = /^\/\/ CI alone: (.+)/.exec(readFileSync(path, 'utf8'))?.[1]
  return why === undefined ? {} : { ciAlone: why }
}

function namesOf(root: string, path: string): string[] {
  const parts = path.split('/')
  const first = parts[0] ?? ''
  if (first === 'tests' || first === 'tools' || first === 'bench') return [first]
  const folder = parts.slice(0, 2).join('/')
  return [folder, basename(folder), packageName(join(root, folder))]
}

function packageName(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const named = typeof manifest === 'object' && manifest !== null && 'name' in manifest
  return named ? String(manifest.name) : basename(folder)
}
