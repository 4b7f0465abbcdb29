import { runBootstrap } from './startup/programs/bootstrap.ts'
import { runProgram } from './startup/programs/program.ts'

await runProgram('bootstrap', () => runBootstrap(process.argv.slice(2), process.env))
