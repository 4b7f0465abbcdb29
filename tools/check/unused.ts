import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Check, Result } from './check.ts'
import { command } from './command.ts'
import { isJson, type Json } from './workspace.ts'

const KNIP = 'knip/bin/knip.js'

export const unused: Check = {
  name: 'unused',
  promise: 'somebody uses every file and every export, those of the entries included (knip)',
  run: async root => {
    if (!existsSync(join(root, 'node_modules', KNIP))) return { problems: ['knip is not installed: npm ci'] }
    const { problems } = await command(root, KNIP, ['--no-progress', '--no-config-hints', '--reporter', 'json'])
    return problems.length === 0 ? { problems } : told(problems.join('\n'))
  },
}

/** Knip's report, one line for each finding; its own words where it could not look. */
function told(output: string): Result {
  const report: unknown = output.startsWith('{') ? JSON.parse(output) : undefined
  const issues = isJson(report) && Array.isArray(report.issues) ? report.issues.filter(isJson) : []
  const problems = issues.flatMap(({ file, files, exports, types }) => [
    ...listOf(files).map(() => `${file} is used by nothing: delete it`),
    ...[...listOf(exports), ...listOf(types)].map(
      ({ name, line }) => `${file}:${line} ${name} is used by no other file: drop its export, or delete it`,
    ),
  ])
  return { problems: problems.length > 0 ? problems : output.split('\n') }
}

const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isJson) : [])
