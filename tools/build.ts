import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inOrder } from './build/manifest.ts'
import { buildPackage } from './build/package.ts'
import { packagesOf } from './check/workspace.ts'
import { runCommand } from './command-line.ts'

const HELP = `npm run build

Compiles what is published into dist/node_modules, one folder a package: JavaScript, declarations, source maps and the
manifest. To develop, nothing has to be built. \`npm run tarballs -- DIR\` packs what was built.`

const root = join(import.meta.dirname, '..')
const output = join(root, 'dist')

await runCommand('npm run build', HELP, async () => {
  await rm(output, { recursive: true, force: true })
  for (const one of inOrder(packagesOf(root).filter(({ manifest }) => manifest.private !== true))) {
    console.log(one.name)
    await buildPackage(root, output, one)
  }
  return 0
})
