import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildAll } from './build/packages.ts'
import { isJson, type Json, packagesOf } from './check/workspace.ts'
import { runCommand } from './command-line.ts'

const HELP = `npm run release -- VERSION
npm run release -- --publish [--dry-run]

With a version: writes it into every package and into what they say of each other, and begins its section in the changelog.
Commit that, with the tag vVERSION.

  --publish   builds the packages and publishes each after those that it depends on, with provenance; from a clean checkout
  --dry-run   goes as far as the registry, and publishes nothing

See docs/releasing.md.`

const root = join(import.meta.dirname, '..')

await runCommand('npm run release', HELP, async args => {
  const options = {
    publish: { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false },
  } as const
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const [version, ...more] = positionals
  if (values.publish && version === undefined) return publish(values['dry-run'])
  if (version === undefined || more.length > 0 || values.publish || values['dry-run'])
    throw new Error('name a version, or --publish')
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    throw new Error(`${version} is not a version, as 1.2.3 or 1.2.3-beta.1 are`)
  for (const path of ['package.json', ...packagesOf(root).map(({ folder }) => `${folder}/package.json`)])
    setVersion(path, version)
  beginSection(version)
  execFileSync('npm', ['run', 'lockfile', '--silent'], { cwd: root, stdio: 'inherit' })
  return 0
})

function setVersion(path: string, version: string): void {
  const file = join(root, path)
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  const names = new Set(packagesOf(root).map(({ name }) => name))
  manifest.version = version
  for (const section of ['dependencies', 'devDependencies'])
    if (isJson(manifest[section]))
      for (const name of Object.keys(manifest[section]))
        if (names.has(name)) (manifest[section] as Record<string, unknown>)[name] = version
  writeFileSync(file, `${JSON.stringify(manifest satisfies Json, null, 2)}\n`)
}

function beginSection(version: string): void {
  const file = join(root, 'CHANGELOG.md')
  const today = new Date().toISOString().slice(0, 10)
  const text = readFileSync(file, 'utf8')
  if (!text.includes('## [Unreleased]\n')) throw new Error('CHANGELOG.md has no section [Unreleased]')
  writeFileSync(file, text.replace('## [Unreleased]\n', `## [Unreleased]\n\n## [${version}] - ${today}\n`))
}

async function publish(dryRun: boolean): Promise<number> {
  if (execFileSync('git', ['status', '--porcelain'], { cwd: root }).length > 0)
    throw new Error('there are changes that are not committed: a release is what its commit holds')
  for (const built of await buildAll(root, console.log)) {
    // Provenance needs a workflow that may ask for an identity (id-token: write); npm refuses it elsewhere.
    const args = [
      'publish',
      built,
      '--access',
      'public',
      ...(dryRun ? ['--dry-run', '--provenance=false'] : ['--provenance']),
    ]
    execFileSync('npm', args, { stdio: 'inherit' })
  }
  return 0
}
