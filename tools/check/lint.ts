import { relative } from 'node:path'
import type { Check } from './check.ts'
import { command } from './command.ts'

// `ci` rather than `check`: nothing is written, and what biome calls a warning fails too.
const ARGS = ['ci', '--error-on-warnings', '--colors=off', '--max-diagnostics=none', '--reporter=github']
const FINDING = /^::(?:error|warning) title=([^,]*),file=([^,]*),line=(\d+).*?::(.*)$/

export const lint: Check = {
  name: 'lint',
  promise: 'biome has nothing to say about lint and format (npm run format mends most of it)',
  run: async root => {
    const { problems } = await command(root, '@biomejs/biome/bin/biome', ARGS)
    const findings = problems.flatMap(line => {
      const [found, title, file = '', at, message] = FINDING.exec(line) ?? []
      return found === undefined ? [] : [`${relative(root, file)}:${at} ${title}: ${message}`]
    })
    // No finding and yet a failure: then biome itself could not run, and says why in its own form.
    return { problems: findings.length > 0 ? findings : problems }
  },
}
