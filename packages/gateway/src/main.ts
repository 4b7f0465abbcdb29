import { runGatewayCommand } from './command/run.ts'

process.exit(await runGatewayCommand(process.argv.slice(2), { usage: 'gateway', name: 'gateway' }))
