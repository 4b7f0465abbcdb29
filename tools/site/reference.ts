import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { jsonOf, member } from '../check/workspace.ts'
import { run } from './run.ts'

const PACKAGE = 'packages/tsmicro'

/** Makes `docs/reference/` from the docstrings of tsmicro's entries and the programs in `examples/`, and the sidebar of both. */
export async function writeReference(root: string): Promise<void> {
  const folder = join(root, 'docs/reference')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const entries = entriesOf(root)
  const files = entries.flatMap(({ file }) => ['--entryPoints', join(root, file)])
  await run(join(root, 'docs'), 'typedoc/bin/typedoc', '--options', 'typedoc.json', ...files)
  for (const { name, page } of entries) {
    const path = join(folder, 'api', `${page || 'index'}.md`)
    await writeFile(path, readFileSync(path, 'utf8').replace(/^# .*/, `# ${name}`))
  }
  await writeFile(join(folder, 'examples.md'), examplesPage(root))
  const items = entries.map(({ name, page }) => ({ text: name, link: `/reference/api/${page}` }))
  await writeFile(join(folder, 'sidebar.json'), JSON.stringify(items))
}

/** What others may import, and the page of each. */
function entriesOf(root: string): { readonly name: string; readonly file: string; readonly page: string }[] {
  return Object.entries(member(jsonOf(root, `${PACKAGE}/package.json`), 'exports')).flatMap(([subpath, source]) => {
    const path = String(source)
    if (!path.endsWith('.ts') || subpath.startsWith('./internal')) return []
    const page = path.replace(/^\.\/src\//, '').replace(/(\/?index)?\.ts$/, '')
    return [{ name: `tsmicro${subpath.slice(1)}`, file: join(PACKAGE, path), page }]
  })
}

function examplesPage(root: string): string {
  const folder = join(root, 'examples')
  const programs = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path => /\.(ts|sql)$/.test(path))
  const shown = programs.sort().map(path => {
    const [, about = basename(path), code = ''] =
      /^(?:\/\/ (.*)\n)?([\s\S]*)$/.exec(readFileSync(join(folder, path), 'utf8')) ?? []
    return `## ${path}\n\n${about}\n\n\`\`\`${path.endsWith('.sql') ? 'sql' : 'ts'}\n${code}\`\`\`\n`
  })
  const words = 'Programs of their own, which the tests run. `npx node examples/01-hello.ts` runs one.'
  return `# Examples\n\n${words}\n\n${shown.join('\n')}`
}
