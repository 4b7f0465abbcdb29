/** `npm run check`: everything about the workspace that can be seen without running it. See HELP. */

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Check, Result } from './check/check.ts'
import { docs } from './check/docs.ts'
import { exports } from './check/exports.ts'
import { files } from './check/files.ts'
import { contracts, generated, kongPlugins } from './check/generated.ts'
import { imports } from './check/imports.ts'
import { lint, types, unused } from './check/installed.ts'
import { lockfile } from './check/lockfile.ts'
import { words } from './check/words.ts'
import { messageOf, runCommand } from './command-line.ts'

const CHECKS: readonly Check[] = [
  types,
  lint,
  imports,
  lockfile,
  files,
  docs,
  words,
  exports,
  unused,
  generated,
  contracts,
  kongPlugins,
]

const HELP = `npm run check [-- [check…] [--root <folder>]]

${CHECKS.map(({ name, promise }) => `  ${name.padEnd(10)} ${promise}`).join('\n')}

Without names all of them run. Exit code: 0 when all pass; 1 when one fails; 2 for wrong arguments.`

await runCommand('npm run check', HELP, args => {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { root: { type: 'string' } } })
  return run(values.root ?? fileURLToPath(new URL('..', import.meta.url)), select(positionals))
})

function select(names: readonly string[]): readonly Check[] {
  const unknown = names.filter(name => !CHECKS.some(check => check.name === name))
  if (unknown.length > 0) throw new Error(`There is no check ${unknown.join(', ')}`)
  return names.length === 0 ? CHECKS : CHECKS.filter(({ name }) => names.includes(name))
}

/** All begin at once (two are processes of their own); the lines come in the order of the list. */
async function run(root: string, checks: readonly Check[]): Promise<number> {
  const running = checks.map(check => ({ check, result: attempt(check, root) }))
  let failed = 0
  for (const { check, result } of running) {
    const { problems, note } = await result
    const remark = problems.length > 0 ? `${problems.length} to mend` : note
    console.log(`${problems.length > 0 ? '✗' : '✓'} ${check.name}${remark ? ` (${remark})` : ''}`)
    for (const problem of problems) console.log(`    ${problem}`)
    if (problems.length > 0) failed++
  }
  console.log(`${checks.length - failed} passed, ${failed} failed`)
  return failed > 0 ? 1 : 0
}

/** A check that itself breaks has not passed. */
async function attempt(check: Check, root: string): Promise<Result> {
  try {
    return await check.run(root)
  } catch (error) {
    return { problems: [`could not be checked: ${messageOf(error)}`] }
  }
}
