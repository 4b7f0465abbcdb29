import { spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { jsonOf, member } from './check/workspace.ts'
import { runCommand } from './command-line.ts'
import { problemsOf } from './site/links.ts'
import { writeReference } from './site/reference.ts'
import { run } from './site/run.ts'

const HELP = `npm run docs:build
npm run docs:dev

docs:build makes the site of docs/, with the reference from docstrings, into docs/.vitepress/dist, and checks every link in it and that its
pages fetch nothing from another host. DOCS_BASE=/folder/ if it is not served from the root of its host.
docs:dev shows the site while pages are edited.

Both install VitePress and TypeDoc into docs/node_modules when they are not there yet.`

const root = join(import.meta.dirname, '..')
const docs = join(root, 'docs')

await runCommand('npm run docs:build', HELP, async ([command, ...more]) => {
  if ((command !== 'build' && command !== 'dev') || more.length > 0) throw new Error('say build or dev')
  install()
  await writeReference(root)
  if (command === 'dev') {
    await run(docs, 'vitepress/bin/vitepress.js', 'dev')
    return 0
  }
  await run(docs, 'vitepress/bin/vitepress.js', 'build')
  const site = join(docs, '.vitepress/dist')
  const { problems, links } = problemsOf(site, process.env.DOCS_BASE ?? '/')
  if (globSync('assets/**/@localSearchIndex*.js', { cwd: site }).length === 0)
    throw new Error('the site has no index of its own, so its search would not work offline')
  for (const problem of problems) console.error(problem)
  console.log(`${links} links, ${problems.length} of them broken`)
  return problems.length > 0 ? 1 : 0
})

function install(): void {
  const wanted = Object.entries(member(jsonOf(root, 'docs/package.json'), 'dependencies'))
  const there = wanted.every(([name, version]) => {
    const manifest = `docs/node_modules/${name}/package.json`
    return existsSync(join(root, manifest)) && jsonOf(root, manifest).version === version
  })
  if (there) return
  const { status } = spawnSync('npm', ['ci', '--prefix', docs], { stdio: 'inherit' })
  if (status !== 0) throw new Error('npm ci --prefix docs failed: see above')
}
