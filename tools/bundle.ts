import { join } from 'node:path'
import { bundleService, SERVICES } from './bundle/services.ts'
import { runCommand } from './command-line.ts'

const HELP = `npm run bundle [SERVICE …]

Compiles services (default: all) to JavaScript, services/SERVICE/dist/main.js, which their images run: it starts in a fraction of the time,
and needs less memory. To develop, nothing has to be compiled.`

await runCommand('npm run bundle', HELP, async args => {
  for (const service of args.length > 0 ? args : SERVICES) await bundleService(join(import.meta.dirname, '..'), service)
  return 0
})
