/** `npm run kong:build`: compiles the gateway's plugins to Lua. See HELP. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runCommand } from './command-line.ts'
import { type Compiled, compilePlugins } from './kong-plugins/compiler.ts'

const HELP = `npm run kong:build [-- --check]

Compiles kong/plugins/*/*.ts to the Lua files beside them, which Kong runs. The compiler is installed into kong/compiler
from its lockfile when it is not there.

  --check   writes nothing; exit code 1 when a file is not what its source compiles to`

const ROOT = fileURLToPath(new URL('..', import.meta.url))

await runCommand('kong:build', HELP, args => {
  const { values } = parseArgs({ args, options: { check: { type: 'boolean', default: false } } })
  return build(values.check)
})

function build(check: boolean): number {
  const compiled = compilePlugins(ROOT)
  const stale = compiled.filter(file => current(file) !== file.text)
  for (const { path, text } of stale) {
    if (!check) writeFileSync(join(ROOT, path), text)
    console.log(
      check ? `${path} is not what its source compiles to: npm run kong:build rewrites it` : `${path} written`,
    )
  }
  if (stale.length === 0) console.log(`${compiled.length} files match their sources`)
  return check && stale.length > 0 ? 1 : 0
}

function current({ path }: Compiled): string | undefined {
  try {
    return readFileSync(join(ROOT, path), 'utf8')
  } catch {
    return undefined
  }
}
