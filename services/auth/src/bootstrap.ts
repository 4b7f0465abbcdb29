import { runBootstrap } from './startup/bootstrap/run.ts'
import { runProgram } from './startup/operator-program.ts'

await runProgram('bootstrap', () => runBootstrap(process.argv.slice(2), process.env))
