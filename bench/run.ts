/** `npm run bench`: compares tsmicro with others. See HELP. */
import { type Benchmark, type Options, perform } from './benchmark.ts'
import { events } from './events/command.ts'
import { gateway } from './gateway/command.ts'
import { http } from './http/command.ts'
import { platform } from './platform/command.ts'
import { rpc } from './rpc/command.ts'
import { start as starting } from './start/command.ts'
import { types } from './types/command.ts'

const HELP = `npm run bench -- <benchmark> [options]

  http     requests to a service, compared with Fastify, NestJS and Hono
  rpc      calls between services over NATS, compared with nats.js alone, Moleculer and NestJS
  gateway  HTTP requests through the embedded gateway, compared with a bare proxy on undici and others
  platform requests to the auth and blog services, compared with another checkout of this repository
  start    start-up and memory of services, compared with bare Fastify, and npm start
  events   events from an outbox to their handlers, compared with JetStream alone
  types    how long the compiler takes to check contracts, compared with plain types

npm run bench -- <benchmark> --help lists its options.`

process.exitCode = await main(process.argv.slice(2))

async function main([name, ...args]: string[]): Promise<number> {
  if (name === '--help') return say(HELP)
  if (name === 'http') return start(http, args)
  if (name === 'rpc') return start(rpc, args)
  if (name === 'gateway') return start(gateway, args)
  if (name === 'platform') return start(platform, args)
  if (name === 'start') return start(starting, args)
  if (name === 'events') return start(events, args)
  if (name === 'types') return types(args).catch(error => refuse(messageOf(error)))
  return refuse(name === undefined ? 'Which benchmark?' : `There is no benchmark “${name}”.`)
}

async function start<Plan, Findings>(benchmark: Benchmark<Plan, Findings>, args: readonly string[]): Promise<number> {
  let options: Options<Plan> | undefined
  try {
    options = benchmark.parse(args)
  } catch (error) {
    return refuse(messageOf(error))
  }
  if (!options) return say(benchmark.help)
  const stop = interruption()
  try {
    await perform(benchmark, options, stop)
    return 0
  } catch (error) {
    console.error(`\n${stop.aborted ? 'Interrupted; all processes have ended.' : messageOf(error)}`)
    return stop.aborted ? 130 : 1
  }
}

/** Aborted by Ctrl-C or SIGTERM: the run then ends its processes. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  return controller.signal
}

function refuse(why: string): 2 {
  console.error(`${why}\nnpm run bench -- --help and npm run bench -- <benchmark> --help list the valid arguments.`)
  return 2
}

function say(text: string): 0 {
  console.log(text)
  return 0
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
