import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { buildAll } from './build/packages.ts'
import { runCommand } from './command-line.ts'

const HELP = `npm run tarballs -- DIR

Builds what is published, and packs each package into the folder DIR, as \`npm publish\` would send it.
Try it in an empty project: npm install DIR/*.tgz`

await runCommand('npm run tarballs', HELP, async ([directory, ...more]) => {
  if (directory === undefined || more.length > 0) throw new Error('name one folder')
  const target = resolve(directory)
  await mkdir(target, { recursive: true })
  for (const built of await buildAll(join(import.meta.dirname, '..'), console.log)) {
    const { stdout } = await promisify(execFile)('npm', ['pack', '--silent', '--pack-destination', target], {
      cwd: built,
    })
    console.log(join(directory, stdout.trim()))
  }
  return 0
})
