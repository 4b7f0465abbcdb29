import { join } from 'node:path'
import { buildAll } from './build/packages.ts'
import { runCommand } from './command-line.ts'

const HELP = `npm run build

Compiles what is published into dist/node_modules, one folder a package: JavaScript, declarations, source maps and the
manifest. To develop, nothing has to be built. \`npm run tarballs -- DIR\` packs what was built.`

await runCommand('npm run build', HELP, async () => {
  await buildAll(join(import.meta.dirname, '..'), console.log)
  return 0
})
