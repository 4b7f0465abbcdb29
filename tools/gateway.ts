/** `tsmicro gateway generate`: keeps the routes of `kong/*.yml` in step with the contracts. See HELP. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runCommand } from './command-line.ts'
import { type KongFile, kongFiles, loadService } from './gateway/files.ts'

const HELP = `tsmicro gateway generate [--check] [--root <folder>]
       tsmicro gateway generate [--check] --service NAME=CONTRACTS FILE…

Rewrites the routes in kong/*.yml from the contracts: one for each public procedure, with its method, its whole path
and the API-key permission that it needs. Everything outside the marks "# <routes of SERVICE>" stays as it is.

  --check           writes nothing; exit code 1 when a file is out of step
  --root <folder>   the repository (default: this one)
  --service office=office/contract.ts
                    a service, and the module that exports its contracts, for other files than kong/*.yml; may be repeated.
                    Its public paths begin with its name

tsmicro gateway run --help tells how to run a gateway alone.`

await runCommand('gateway', HELP, async args => {
  const options = {
    check: { type: 'boolean', default: false },
    root: { type: 'string' },
    service: { type: 'string', multiple: true },
  } as const
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const [action, ...files] = positionals
  if (action !== 'generate') throw new Error('say what to do: tsmicro gateway generate')
  const { service: given = [] } = values
  if (files.length === 0 && given.length === 0) {
    const root = values.root ?? fileURLToPath(new URL('..', import.meta.url))
    return generate(root, kongFiles(root), values.check)
  }
  if (files.length === 0 || given.length === 0) throw new Error('files and --service belong together')
  const root = values.root ?? '.'
  const services = await Promise.all(given.map(each => loadService(root, each)))
  return generate(root, kongFiles(root, files, services), values.check)
})

function generate(root: string, files: readonly KongFile[], check: boolean): number {
  const stale = files.filter(({ text, wanted }) => text !== wanted)
  for (const { path, wanted } of stale) {
    if (!check) writeFileSync(resolve(root, path), wanted)
    console.log(
      check ? `${path} is out of step with the contracts: npx tsmicro gateway generate rewrites it` : `${path} written`,
    )
  }
  return check && stale.length > 0 ? 1 : 0
}
