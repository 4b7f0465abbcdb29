import { parseArgs } from 'node:util'
import { runExplorer } from './run.ts'

const HELP = `Usage: EXPLORER_TOKEN=… node main.js --contracts FILE… [options]

Serves a page on 127.0.0.1 that shows every procedure of a system, and calls it over HTTP and NATS.

  --contracts FILE     a module that exports contracts; may be repeated
  --port N             default 0: a free one
  --gateway URL        the gateway; requests to a service go below its name there
  --service NAME=URL   a service without a gateway; may be repeated
  --sign-in NAME       the procedure that signs users in, such as auth.signIn
  --sign-in-token PATH where its answer has the access token, such as tokens.accessToken

Environment:
  EXPLORER_TOKEN       what the page has to know: 32 characters or more
  NATS_URL             NATS as a user who may call what people may call
`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      contracts: { type: 'string', multiple: true, default: [] },
      port: { type: 'string', default: '0' },
      gateway: { type: 'string' },
      service: { type: 'string', multiple: true, default: [] },
      'sign-in': { type: 'string' },
      'sign-in-token': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  const { EXPLORER_TOKEN: token = '', NATS_URL: natsUrl } = process.env
  const { 'sign-in': procedure, 'sign-in-token': place } = values
  const explorer = await runExplorer({
    token,
    port: Number(values.port),
    contracts: values.contracts,
    gatewayUrl: values.gateway,
    serviceUrls: Object.fromEntries(
      values.service.map(each => [each.split('=', 1)[0], each.slice(each.indexOf('=') + 1)]),
    ),
    natsUrl: natsUrl || undefined,
    signIn: procedure !== undefined && place !== undefined ? { procedure, token: place } : undefined,
  })
  // Whoever reads the log of a process need not be who may use the explorer.
  process.stdout.write(
    `${JSON.stringify({ level: 30, time: Date.now(), msg: `listening on ${explorer.url.split('#')[0]}` })}\n`,
  )
  const stop = () => explorer.close().then(() => process.exit(0))
  process.once('SIGTERM', stop).once('SIGINT', stop)
}

main().catch((error: unknown) => {
  process.stderr.write(`explorer: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
