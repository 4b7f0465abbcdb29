import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type Check, command, type Result } from './check.ts'
import { isJson, type Json } from './workspace.ts'

/* Checks that are another tool's work: the compiler's, biome's, knip's. */

export const types: Check = {
  name: 'types',
  promise: 'TypeScript finds no error in the whole workspace',
  run: async root => {
    const compile = (project: string) => command(root, 'typescript/bin/tsc', ['-p', project, '--pretty', 'false'])
    // What the benchmark compares with is installed by `npm run bench` alone; the root's project leaves those files out.
    const bench = existsSync(join(root, 'bench/node_modules')) ? ['bench/tsconfig.json'] : []
    const pages = ['packages/explorer/page/tsconfig.json'].filter(project => existsSync(join(root, project)))
    const results = await Promise.all(['tsconfig.json', ...pages, ...bench].map(compile))
    return { problems: [...new Set(results.flatMap(({ problems }) => problems))] }
  },
}

const FINDING = /^::(?:error|warning) title=([^,]*),file=([^,]*),line=(\d+).*?::(.*)$/

export const lint: Check = {
  name: 'lint',
  promise:
    'biome finds nothing: lint, format, import circles (of types as well), undeclared packages; see npm run format',
  // `ci` rather than `check`: nothing is written.
  run: async root => ({ problems: await findings(root, ['ci']) }),
}

/** What biome reports, one line each. Warnings count. */
export async function findings(root: string, args: readonly string[]): Promise<readonly string[]> {
  const options = ['--error-on-warnings', '--colors=off', '--max-diagnostics=none', '--reporter=github']
  const { problems } = await command(root, '@biomejs/biome/bin/biome', [...args, ...options])
  const found = problems.flatMap(line => {
    const [all, title, file = '', at, message] = FINDING.exec(line) ?? []
    return all === undefined ? [] : [`${relative(root, file)}:${at} ${title}: ${message}`]
  })
  // If biome itself could not run, its own words are the problem.
  return found.length > 0 ? found : problems
}

const KNIP = 'knip/bin/knip.js'

export const unused: Check = {
  name: 'unused',
  promise: 'somebody uses every file and every export, those of the entries included (knip)',
  run: async root => {
    if (!existsSync(join(root, 'node_modules', KNIP))) return { problems: ['knip is not installed: npm ci'] }
    const { problems } = await command(root, KNIP, ['--no-progress', '--no-config-hints', '--reporter', 'json'])
    return problems.length === 0 ? { problems } : reportOf(problems.join('\n'))
  },
}

/** Knip's report, one line for each finding; its own words where it could not look. */
function reportOf(output: string): Result {
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
