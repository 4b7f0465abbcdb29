import { runKeys } from './startup/keys/run.ts'
import { runProgram } from './startup/operator-program.ts'

await runProgram('keys', () => runKeys(process.argv.slice(2), process.env))
