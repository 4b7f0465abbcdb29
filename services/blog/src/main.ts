import { parseArgs } from 'node:util'
import { runService, StartError, UnusableError } from 'tsmicro'
import { ConfigError, describeConfig } from 'tsmicro/config'
import { createLogger, type Logger } from 'tsmicro/telemetry'
import { Env, loadEnv } from './env.ts'
import { createBlogService, NAME } from './startup/module.ts'

const HELP = `Runs the blog service. It is configured by environment variables: see .env.example.
NATS_URL and MONGODB_URL are required.

Usage: node main.js

  --help   shows this text

On SIGTERM or SIGINT it finishes the requests in progress and exits with 0.
`

function wantsHelp(): boolean {
  try {
    return parseArgs({ options: { help: { type: 'boolean', default: false } } }).values.help
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('. ', 1)[0] : String(error)
    process.stderr.write(`blog: ${reason} (see --help)\n`)
    process.exit(2)
  }
}

function warnOfOpenServers(env: Env, log: Logger): void {
  if (env.NODE_ENV !== 'production') return
  for (const variable of ['NATS_URL', 'MONGODB_URL'] as const) {
    if (!env[variable].includes('@')) log.warn({ variable }, `${variable} has no credentials: protect that server`)
  }
}

try {
  if (wantsHelp()) process.stdout.write(HELP)
  else {
    const env = loadEnv()
    const log = createLogger({ name: NAME, level: env.LOG_LEVEL })
    log.info({ config: describeConfig(Env, env) }, 'starting')
    warnOfOpenServers(env, log)
    await runService(createBlogService(env, { log }), { log })
  }
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof StartError || error instanceof UnusableError)) throw error
  process.stderr.write(`blog: ${error.message}\n`)
  process.exit(1)
}
