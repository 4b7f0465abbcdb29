import type { Check } from './check.ts'
import { command } from './command.ts'

export const types: Check = {
  name: 'types',
  promise: 'TypeScript finds no error in the whole workspace',
  run: root => command(root, 'typescript/bin/tsc', ['-p', 'tsconfig.json', '--pretty', 'false']),
}
