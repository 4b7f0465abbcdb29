import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildPackage } from '../../tools/build/packages.ts'
import { bundle } from '../../tools/bundle/bundle.ts'
import { packagesOf } from '../../tools/check/workspace.ts'
import { ROOT } from '../install.ts'
import type { System } from '../platform/system.ts'

/** As installed from npm, or as one bundle. The names appear in the JSON report. */
export const SUBJECTS = ['fastify', 'fastify-bundled', 'tsmicro', 'tsmicro-bundled', 'blog'] as const
export type SubjectName = (typeof SUBJECTS)[number]

/** A program that listens on PORT, and the path that it answers with 200 once it is ready. */
export interface Subject {
  readonly main: string
  readonly environment: Readonly<Record<string, string>>
  readonly readyPath: string
}

/** Out of `node_modules`, of which the compiler emits nothing. */
const CACHE = fileURLToPath(new URL('.tmp/bench-start/', ROOT))

/** Compiles the programs. @param blog the system whose blog service is started, with its databases up */
export async function openSubjects(
  names: readonly SubjectName[],
  blog: System | undefined,
): Promise<ReadonlyMap<SubjectName, Subject>> {
  const opened = new Map<SubjectName, Subject>()
  for (const name of names) {
    if (name === 'blog') {
      if (blog) opened.set(name, { ...blog.deployed('blog'), readyPath: '/health/ready' })
      continue
    }
    opened.set(name, { main: await compile(name), environment: environmentOf(name), readyPath: '/greet/Ada' })
  }
  return opened
}

/** As in the images: what is bundled has a compile cache. */
const environmentOf = (name: SubjectName): Record<string, string> =>
  name.endsWith('-bundled') ? { NODE_COMPILE_CACHE: join(CACHE, 'compile-cache') } : {}

async function compile(name: Exclude<SubjectName, 'blog'>): Promise<string> {
  const program = name === 'fastify' || name === 'fastify-bundled' ? 'fastify' : 'tsmicro'
  const entry = fileURLToPath(new URL(`./programs/${program}.ts`, import.meta.url))
  const folder = join(CACHE, name)
  const main = join(folder, 'main.js')
  if (name === 'fastify-bundled' || name === 'tsmicro-bundled') {
    await bundle(entry, folder)
    return main
  }
  if (name === 'tsmicro') {
    const root = fileURLToPath(ROOT)
    const framework = packagesOf(root).find(each => each.name === 'tsmicro')
    if (framework) await buildPackage(root, CACHE, framework)
  }
  await build({ entryPoints: [entry], outfile: main, format: 'esm', logLevel: 'warning' })
  return main
}
