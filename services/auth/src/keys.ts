import { runKeys } from './startup/programs/keys.ts'
import { runProgram } from './startup/programs/program.ts'

await runProgram('keys', () => runKeys(process.argv.slice(2), process.env))
