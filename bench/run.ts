/** `npm run bench`: measures tsmicro beside others. See HELP. */
import { rpc } from './rpc/command.ts'
import { parseOptions, HELP as RPC_HELP, type RpcOptions } from './rpc/options.ts'

const HELP = `npm run bench -- <benchmark> [options]

  rpc    calls between services over NATS, beside nats.js alone, Moleculer and NestJS

npm run bench -- <benchmark> --help tells its options.`

process.exitCode = await main(process.argv.slice(2))

async function main([benchmark, ...args]: string[]): Promise<number> {
  if (benchmark === '--help') return say(HELP)
  if (benchmark !== 'rpc') return refuse(benchmark === undefined ? 'Which benchmark?' : `No benchmark “${benchmark}”.`)
  let options: RpcOptions | undefined
  try {
    options = parseOptions(args)
  } catch (error) {
    return refuse(messageOf(error))
  }
  if (!options) return say(RPC_HELP)
  const stop = interruption()
  try {
    await rpc(options, stop)
    return 0
  } catch (error) {
    console.error(`\n${stop.aborted ? 'Interrupted; everything that was started has ended.' : messageOf(error)}`)
    return stop.aborted ? 130 : 1
  }
}

/** Aborted by the first Ctrl-C or SIGTERM: what was started is then ended in order. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  return controller.signal
}

function refuse(why: string): 2 {
  console.error(`${why}\nnpm run bench -- --help and npm run bench -- rpc --help list what is understood.`)
  return 2
}

function say(text: string): 0 {
  console.log(text)
  return 0
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
