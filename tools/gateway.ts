/** `tsmicro gateway generate`: keeps the routes of `kong/*.yml` in step with the contracts. See HELP. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { kongFiles } from './gateway/files.ts'

const HELP = `tsmicro gateway generate [--check] [--root <folder>]

Rewrites the routes in kong/*.yml from the contracts: one for each public procedure, with its method, its whole path
and the API-key permission that it needs. Everything outside the marks "# <routes of SERVICE>" stays as it is.

  --check           writes nothing; exit code 1 when a file is out of step
  --root <folder>   the repository (default: this one)

tsmicro gateway run --help tells how to run a gateway alone.
`

process.exitCode = main(process.argv.slice(2))

function main(args: string[]): number {
  try {
    const options = { check: { type: 'boolean' }, root: { type: 'string' }, help: { type: 'boolean' } } as const
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
    if (values.help) return say(HELP)
    if (positionals.join(' ') !== 'generate') throw new Error('say what to do: tsmicro gateway generate')
    return generate(values.root ?? fileURLToPath(new URL('..', import.meta.url)), values.check === true)
  } catch (error) {
    process.stderr.write(`gateway: ${error instanceof Error ? error.message.split('. ', 1)[0] : error} (see --help)\n`)
    return 2
  }
}

function generate(root: string, check: boolean): number {
  const stale = kongFiles(root).filter(({ text, wanted }) => text !== wanted)
  for (const { path, wanted } of stale) {
    if (!check) writeFileSync(join(root, path), wanted)
    say(
      check
        ? `${path} is out of step with the contracts: npx tsmicro gateway generate rewrites it\n`
        : `${path} written\n`,
    )
  }
  return check && stale.length > 0 ? 1 : 0
}

function say(text: string): 0 {
  process.stdout.write(text)
  return 0
}
