import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from './check.ts'
import { command } from './command.ts'

export const types: Check = {
  name: 'types',
  promise: 'TypeScript finds no error in the whole workspace',
  run: async root => {
    const compile = (project: string) => command(root, 'typescript/bin/tsc', ['-p', project, '--pretty', 'false'])
    // What the benchmark compares with is installed by `npm run bench` alone; the root's project leaves those files out.
    const bench = existsSync(join(root, 'bench/node_modules')) ? ['bench/tsconfig.json'] : []
    const results = await Promise.all(['tsconfig.json', ...bench].map(compile))
    return { problems: [...new Set(results.flatMap(({ problems }) => problems))] }
  },
}
