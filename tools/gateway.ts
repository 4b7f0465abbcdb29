/** `tsmicro gateway generate`: keeps the routes of `kong/*.yml` in step with the contracts. See HELP. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runCommand } from './command-line.ts'
import { kongFiles } from './gateway/files.ts'

const HELP = `tsmicro gateway generate [--check] [--root <folder>]

Rewrites the routes in kong/*.yml from the contracts: one for each public procedure, with its method, its whole path
and the API-key permission that it needs. Everything outside the marks "# <routes of SERVICE>" stays as it is.

  --check           writes nothing; exit code 1 when a file is out of step
  --root <folder>   the repository (default: this one)

tsmicro gateway run --help tells how to run a gateway alone.`

await runCommand('gateway', HELP, args => {
  const options = { check: { type: 'boolean', default: false }, root: { type: 'string' } } as const
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (positionals.join(' ') !== 'generate') throw new Error('say what to do: tsmicro gateway generate')
  return generate(values.root ?? fileURLToPath(new URL('..', import.meta.url)), values.check)
})

function generate(root: string, check: boolean): number {
  const stale = kongFiles(root).filter(({ text, wanted }) => text !== wanted)
  for (const { path, wanted } of stale) {
    if (!check) writeFileSync(join(root, path), wanted)
    console.log(
      check ? `${path} is out of step with the contracts: npx tsmicro gateway generate rewrites it` : `${path} written`,
    )
  }
  return check && stale.length > 0 ? 1 : 0
}
