/** `npm run bench`: measures tsmicro beside others. See HELP. */
import { gateway } from './gateway/command.ts'
import { HELP as GATEWAY_HELP, parseOptions as parseGateway } from './gateway/options.ts'
import { rpc } from './rpc/command.ts'
import { parseOptions as parseRpc, HELP as RPC_HELP } from './rpc/options.ts'

const HELP = `npm run bench -- <benchmark> [options]

  rpc      calls between services over NATS, beside nats.js alone, Moleculer and NestJS
  gateway  HTTP requests through the embedded gateway, beside a bare proxy on undici and others

npm run bench -- <benchmark> --help tells its options.`

/** The run that the arguments ask for; undefined when only the help is wanted. @throws Error for wrong ones */
type Prepare = (args: readonly string[]) => ((signal: AbortSignal) => Promise<void>) | undefined

const BENCHMARKS: ReadonlyMap<string, { readonly help: string; readonly prepare: Prepare }> = new Map([
  ['rpc', { help: RPC_HELP, prepare: prepared(parseRpc, rpc) }],
  ['gateway', { help: GATEWAY_HELP, prepare: prepared(parseGateway, gateway) }],
])

process.exitCode = await main(process.argv.slice(2))

async function main([name, ...args]: string[]): Promise<number> {
  if (name === '--help') return say(HELP)
  if (name === undefined) return refuse('Which benchmark?')
  const benchmark = BENCHMARKS.get(name)
  if (!benchmark) return refuse(`No benchmark “${name}”.`)
  let run: ReturnType<Prepare>
  try {
    run = benchmark.prepare(args)
  } catch (error) {
    return refuse(messageOf(error))
  }
  if (!run) return say(benchmark.help)
  const stop = interruption()
  try {
    await run(stop)
    return 0
  } catch (error) {
    console.error(`\n${stop.aborted ? 'Interrupted; everything that was started has ended.' : messageOf(error)}`)
    return stop.aborted ? 130 : 1
  }
}

function prepared<Options>(
  parse: (args: readonly string[]) => Options | undefined,
  run: (options: Options, signal: AbortSignal) => Promise<void>,
): Prepare {
  return args => {
    const options = parse(args)
    return options && (signal => run(options, signal))
  }
}

/** Aborted by the first Ctrl-C or SIGTERM: what was started is then ended in order. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  return controller.signal
}

function refuse(why: string): 2 {
  console.error(`${why}\nnpm run bench -- --help and npm run bench -- <benchmark> --help list what is understood.`)
  return 2
}

function say(text: string): 0 {
  console.log(text)
  return 0
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
