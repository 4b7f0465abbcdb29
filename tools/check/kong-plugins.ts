import { pluginSources, staleFiles } from '../kong-plugins/compiler.ts'
import type { Check } from './check.ts'

export const kongPlugins: Check = {
  name: 'lua',
  promise: 'the Lua in kong/plugins was compiled from the TypeScript beside it as it is now',
  run: root => {
    const problems = staleFiles(root)
    const advice = problems.length > 0 ? ['npm run kong:build rewrites it'] : []
    return { problems: [...problems, ...advice], note: `${pluginSources(root).length} files` }
  },
}
