import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildAll, repositoryOf } from './build/packages.ts'
import { isJson, type Json, jsonOf, packagesOf } from './check/workspace.ts'
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
  const changelog = changelogWith(version)
  for (const path of ['package.json', ...packagesOf(root).map(({ folder }) => `${folder}/package.json`)])
    setVersion(path, version)
  writeFileSync(join(root, 'CHANGELOG.md'), changelog)
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

function changelogWith(version: string): string {
  const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
  if (!text.includes('## [Unreleased]\n')) throw new Error('CHANGELOG.md has no section [Unreleased]')
  const today = new Date().toISOString().slice(0, 10)
  return text.replace('## [Unreleased]\n', `## [Unreleased]\n\n## [${version}] - ${today}\n`)
}

async function publish(dryRun: boolean): Promise<number> {
  if (execFileSync('git', ['status', '--porcelain'], { cwd: root }).length > 0)
    throw new Error('there are changes that are not committed: a release is what its commit holds')
  if (!repositoryOf(root)) throw new Error('package.json has no repository: provenance is checked against it')
  refuseOtherTag(process.env)
  for (const built of await buildAll(root, console.log)) {
    const { name, version } = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8'))
    if (isPublished(`${name}@${version}`)) {
      console.log(`${name}@${version} is published already`)
      continue
    }
    // A beta must not become what "npm install" takes.
    const tag = /-([a-z]+)/.exec(version)?.[1] ?? 'latest'
    // Provenance needs a workflow that may ask for an identity (id-token: write); npm refuses it elsewhere.
    const how = dryRun ? ['--dry-run', '--provenance=false'] : ['--provenance']
    execFileSync('npm', ['publish', built, '--access', 'public', '--tag', tag, ...how], { stdio: 'inherit' })
  }
  return 0
}

/** In a workflow that a tag has started: it names the version of the root and, as `npm run release -- VERSION` writes all of them, of every package. */
function refuseOtherTag({ GITHUB_REF_TYPE, GITHUB_REF_NAME }: NodeJS.ProcessEnv): void {
  const { version } = jsonOf(root, 'package.json')
  if (GITHUB_REF_TYPE === 'tag' && GITHUB_REF_NAME !== `v${version}`)
    throw new Error(`the tag ${GITHUB_REF_NAME} is not v${version}, the version in package.json`)
}

/** A release that broke off goes on with what is missing. */
function isPublished(specifier: string): boolean {
  try {
    return execFileSync('npm', ['view', specifier, 'version'], { stdio: ['ignore', 'pipe', 'ignore'] }).length > 0
  } catch {
    return false
  }
}
