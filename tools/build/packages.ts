import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { isTest, jsonOf, type Package, packagesOf } from '../check/workspace.ts'
import { entriesOf, inOrder, publishedManifest } from './manifest.ts'

const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

/** Builds what is published into `dist`. Returns the packages' folders. */
export async function buildAll(root: string, say: (name: string) => void): Promise<readonly string[]> {
  const output = join(root, 'dist')
  await rm(output, { recursive: true, force: true })
  const built: string[] = []
  for (const one of inOrder(packagesOf(root).filter(({ manifest }) => manifest.private !== true))) {
    say(one.name)
    built.push(await buildPackage(root, output, one))
  }
  return built
}

/**
 * Compiles one package into `<output>/node_modules/<its name>`, where those that come later find it. Only what its entries lead
 * to is compiled. The sources are copied first, out of reach of the workspace's links: these would lead the compiler to other
 * packages' sources instead of their declarations.
 * @throws {Error} with the compiler's own output, for a type error
 */
export async function buildPackage(root: string, output: string, one: Package): Promise<string> {
  const from = join(root, one.folder)
  const sources = join(output, 'src', one.folder)
  const target = join(output, 'node_modules', one.name)
  await cp(from, sources, { recursive: true, filter: path => !/\/(node_modules|tests)$/.test(path) && !isTest(path) })
  await mkdir(target, { recursive: true })
  await writeFile(
    join(target, 'package.json'),
    `${JSON.stringify(publishedManifest(one, repositoryOf(root)), null, 2)}\n`,
  )
  await compile(root, sources, target, one)
  await copyOthers(root, from, target)
  if (existsSync(join(from, 'page'))) await writePage(target)
  await rm(sources, { recursive: true })
  return target
}

async function compile(root: string, sources: string, target: string, one: Package): Promise<void> {
  const config = {
    extends: relative(sources, join(root, 'tsconfig.json')),
    compilerOptions: {
      noEmit: false,
      outDir: join(target, 'dist'),
      rootDir: existsSync(join(sources, 'src')) ? 'src' : '.',
      sourceMap: true,
      inlineSources: true,
    },
    files: entriesOf(one),
    include: [],
  }
  await writeFile(join(sources, 'tsconfig.json'), JSON.stringify(config))
  try {
    await promisify(execFile)(process.execPath, [TSC, '-p', sources])
  } catch (error) {
    throw new Error(`${one.name} does not compile:\n${(error as { stdout?: string }).stdout}`, { cause: error })
  }
}

/** The explorer's page, which the repository compiles in memory. */
async function writePage(target: string): Promise<void> {
  const { pageTexts } = await import('@tsmicro/explorer')
  const folder = join(target, 'dist', 'page')
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(await pageTexts())) await writeFile(join(folder, name), text)
}

/** The licence, the README, programs, and files that are read as they are, such as Kong's Lua. */
async function copyOthers(root: string, from: string, target: string): Promise<void> {
  await cp(join(root, 'LICENSE'), join(target, 'LICENSE'))
  const readme = join(from, 'README.md')
  if (existsSync(readme)) await cp(readme, join(target, 'README.md'))
  if (existsSync(join(from, 'bin'))) await cp(join(from, 'bin'), join(target, 'bin'), { recursive: true })
  for (const path of globSync('**/*.lua', { cwd: from })) await cp(join(from, path), join(target, 'dist', path))
}

/** As the workspace's own manifest names it. */
export function repositoryOf(root: string): string | undefined {
  const { repository } = jsonOf(root, 'package.json')
  return typeof repository === 'string' ? repository : undefined
}
