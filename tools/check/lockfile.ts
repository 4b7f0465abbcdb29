import type { Check } from './check.ts'
import { isJson, type Json, jsonOf, member, packagesOf } from './workspace.ts'

const SECTIONS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']

export const lockfile: Check = {
  name: 'lockfile',
  promise: 'package-lock.json names no registry, skips nothing on Node 20, and is in step with every package.json',
  run: root => {
    const packages = member(jsonOf(root, 'package-lock.json'), 'packages')
    const entries = Object.entries(packages).filter((entry): entry is [string, Json] => isJson(entry[1]))
    const manifests: [string, Json][] = [
      ['', jsonOf(root, 'package.json')],
      ...packagesOf(root).map(({ folder, manifest }): [string, Json] => [folder, manifest]),
    ]
    const problems = [
      ...entries.flatMap(([path, entry]) => entryProblems(path, entry)),
      ...manifests.flatMap(([folder, manifest]) => stepProblems(folder, manifest, packages)),
    ]
    const advice = problems.length > 0 ? ['npm run lockfile rewrites it'] : []
    return { problems: [...problems, ...advice], note: `${entries.length} entries` }
  },
}

function entryProblems(path: string, entry: Json): string[] {
  const address = typeof entry.resolved === 'string' && /^(https?|git|ssh)/.test(entry.resolved)
  const installed = path.includes('node_modules/') && entry.link !== true
  return [
    ...(address
      ? [`${path} has an address (resolved: ${entry.resolved}), which ties the checkout to one registry`]
      : []),
    ...(installed && entry.integrity === undefined ? [`${path} has no integrity hash`] : []),
    ...(installed && refusesNode20(entry)
      ? [
          `${path} has engines (node: ${member(entry, 'engines').node}), so npm on Node 20 warns of it, or skips it silently`,
        ]
      : []),
  ]
}

/** Whether npm on Node 20 would take offence, although everything runs on the Node that the workspace brings. */
export const refusesNode20 = (entry: Json): boolean => /^>= ?2[1-9]/.test(String(member(entry, 'engines').node ?? ''))

/** What `npm ci` would refuse, said without running it. */
function stepProblems(folder: string, manifest: Json, packages: Json): string[] {
  const place = folder === '' ? 'package.json' : `${folder}/package.json`
  const locked = packages[folder]
  if (!isJson(locked)) return [`${place} has no entry in package-lock.json`]
  return SECTIONS.flatMap(section => {
    const [written, known] = [member(manifest, section), member(locked, section)]
    const names = [...new Set([...Object.keys(written), ...Object.keys(known)])]
    return names
      .filter(name => written[name] !== known[name])
      .map(
        name =>
          `${place} ${section}: ${name} is ${written[name] ?? 'not there'}, in package-lock.json ${known[name] ?? 'not there'}`,
      )
  })
}
