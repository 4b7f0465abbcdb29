import { parseArgs } from 'node:util'
import { runService, StartError, UnusableError } from 'tsmicro'
import { ConfigError, describeConfig } from 'tsmicro/config'
import { createLogger, type Logger } from 'tsmicro/telemetry'
import { type Env, EnvSchema, loadEnv } from './config/env.ts'
import { createBlogService, NAME } from './startup/server.ts'

const HELP = `Runs the blog service. It is configured by the environment: see .env.example.
NATS_URL and MONGODB_URL are required.

Usage: node main.js

  --help   this text

SIGTERM or SIGINT finishes the requests under way and exits 0.
`

class UsageError extends Error {}

function wantsHelp(): boolean {
  try {
    return parseArgs({ options: { help: { type: 'boolean', default: false } } }).values.help
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. ', 1)[0] : String(error))
  }
}

async function main(): Promise<void> {
  if (wantsHelp()) {
    process.stdout.write(HELP)
    return
  }
  const env = loadEnv()
  const log = createLogger({ name: NAME, level: env.LOG_LEVEL })
  log.info({ config: describeConfig(EnvSchema, env) }, 'starting')
  warnOfOpenServers(env, log)
  await runService(createBlogService(env, { log }), { log })
}

function warnOfOpenServers(env: Env, log: Logger): void {
  if (env.NODE_ENV !== 'production') return
  for (const variable of ['NATS_URL', 'MONGODB_URL'] as const) {
    if (!env[variable].includes('@')) log.warn({ variable }, `${variable} has no credentials: protect that server`)
  }
}

main().catch(error => {
  const expected = [ConfigError, StartError, UnusableError, UsageError]
  if (!expected.some(type => error instanceof type)) throw error
  process.stderr.write(`blog: ${error.message}${error instanceof UsageError ? ' (see --help)' : ''}\n`)
  process.exit(error instanceof UsageError ? 2 : 1)
})
