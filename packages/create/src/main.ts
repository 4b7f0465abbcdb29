import { runCreate } from './command.ts'
import { CreateError } from './errors.ts'

const usage = 'npm create tsmicro@latest NAME --'
const example = 'npm create tsmicro@latest shop && cd shop && npm start'

try {
  await runCreate(process.argv.slice(2), { usage, example, write: text => process.stdout.write(text) })
} catch (error) {
  if (!(error instanceof CreateError)) throw error
  process.stderr.write(`create-tsmicro: ${error.message} (see --help)\n`)
  process.exitCode = 2
}
