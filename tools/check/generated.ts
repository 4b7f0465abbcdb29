import { globSync } from 'node:fs'
import { join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { SystemConfig } from '@tsmicro/cli'
import { pluginSources, staleFiles } from '../kong-plugins/compiler.ts'
import { type Check, command } from './check.ts'

export const generated: Check = {
  name: 'generated',
  promise:
    'every folder of services/ is in tsmicro.config.ts, and what npx tsmicro generate makes from that is in step',
  run: async root => {
    const { default: system } = (await import(pathToFileURL(join(root, 'tsmicro.config.ts')).href)) as {
      readonly default: SystemConfig
    }
    const problems = globSync('services/*/package.json', { cwd: root })
      .map(path => path.split(sep)[1] ?? '')
      .flatMap(name => serviceProblems(name, system))
    if (problems.length > 0) return { problems }
    return command(root, '@tsmicro/cli/bin/tsmicro.js', ['generate', '--check'])
  },
}

function serviceProblems(name: string, { services }: SystemConfig): readonly string[] {
  const service = services[name]
  if (!service)
    return [`services/${name} is not in tsmicro.config.ts: nothing is generated for it, and npm start leaves it out`]
  const missing = (['contract', 'recorded'] as const).filter(each => service[each] === undefined)
  return missing.map(each => `${name} has no ${each} in tsmicro.config.ts: nothing is generated from its contracts`)
}

export const kongPlugins: Check = {
  name: 'lua',
  promise: 'the Lua in kong/plugins was compiled from the TypeScript beside it as it is now',
  run: root => {
    const problems = staleFiles(root)
    const advice = problems.length > 0 ? ['npm run kong:build rewrites it'] : []
    return { problems: [...problems, ...advice], note: `${pluginSources(root).length} files` }
  },
}

export const contracts: Check = {
  name: 'contracts',
  promise: 'no change to the contracts breaks who uses their recorded form, unless CHANGELOG.md says so',
  run: root => command(root, '@tsmicro/cli/bin/tsmicro.js', ['contracts', 'check']),
}
