import { pluginSources, staleFiles } from '../kong-plugins/compiler.ts'
import { type Check, command } from './check.ts'

export const gateway: Check = {
  name: 'gateway',
  promise: 'the routes in kong/*.yml match the contracts',
  run: async root => {
    // Imported only when needed: the other checks do not load the contracts.
    const { kongFiles } = await import('../gateway/files.ts')
    const files = kongFiles(root)
    const stale = files.filter(({ text, wanted }) => text !== wanted)
    const problems = stale.map(({ path }) => `${path} is out of step: npx tsmicro gateway generate rewrites it`)
    return { problems, note: `${files.length} files` }
  },
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
