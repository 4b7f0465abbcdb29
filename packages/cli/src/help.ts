import { existsSync } from 'node:fs'
import { loadConfig } from './config.ts'
import { CliError } from './errors.ts'

const HELP = `Usage: tsmicro start [options]
       tsmicro dev [options]
       tsmicro restart [SERVICE]
       tsmicro new NAME [options]
       tsmicro add service|procedure|event NAME [options]
       tsmicro generate [--check]
       tsmicro doctor [--json]
       tsmicro gateway run --config FILE [options]
       tsmicro contracts check|record [options]
       tsmicro events [ACTION] [SERVICE] [options]
       tsmicro explorer --gateway URL [options]
       tsmicro [--config FILE] COMMAND [arguments of the command]

start      runs a whole system: its infrastructure (NATS, PostgreSQL, documents, Redis if there is one), services and gateway
dev        does the same, and restarts what a change of the sources touches
restart    replaces the instances of the running system one by one
new        makes a project
add        writes a new service, procedure or event into the project
generate   writes what follows from the system and its contracts, such as the gateway's routes
doctor     says what a system needs, what of it is missing here, and how to get it
gateway    runs the gateway alone, with any kong.yml
contracts  says which changes to the contracts break somebody, and records them
events     shows how the events of services get on, and sets right what failed
explorer   serves a page that shows and calls every procedure of a system that runs elsewhere; start has one of its own

Each tells more: tsmicro COMMAND --help.

Example: tsmicro dev --fresh

Options:
  --config FILE     the system (default tsmicro.config.ts)
  --help            show this text
`

const ENVIRONMENT = `Environment:
  DATA_DIR          where to keep the data (default .data)
  GATEWAY_PORT      port of the gateway, 0 for a free one (default 8000)
  GATEWAY_HOSTS     host names the gateway accepts besides localhost, 127.0.0.1 and [::1]: shop.test,*.shop.test; * for any
  EXPLORER          on or off: whether start serves the explorer (default on, but off with NODE_ENV=production)
  LOG_LEVEL         trace, debug, info, warn, error, fatal or silent (default info)
  LIVENESS_SECONDS  a part that does not answer for this long is restarted, PostgreSQL after five times as long;
                    0 = never, for debuggers (default 60)
  NATS_URL, DATABASE_URL, MONGODB_URL, REDIS_URL
                    use these servers instead of starting them
  NO_COLOR          do not use colours
Services and the gateway get LOG_LEVEL, what every program needs (PATH, HOME, TZ …) and the variables that
tsmicro.config.ts names for them (passEnv), but no other variables.

Ctrl-C stops everything in order, a second one immediately.
`

const START = `Usage: tsmicro start [options]

Runs a whole system for development: its infrastructure (NATS, PostgreSQL, documents), its services and its gateway.
It uses Redis if there is one: at REDIS_URL, or a redis-server of version 6.2 or later on PATH.

Options:
  --fresh           delete the data first
  --replicas N      run N instances of each service (default 1); with 2 or more, the gateway balances the load
  --config FILE     the system to start (default tsmicro.config.ts)
  --help            show this text

Example: tsmicro start --fresh --replicas 2

${ENVIRONMENT}`

const DEV = `Usage: tsmicro dev [options]

Runs a system as tsmicro start does, and watches its sources. A change restarts the services that load the changed file,
directly or not, and nothing else: the new process starts beside the old one, takes over when it is ready, and the old one
finishes its requests. No request fails. A mistake in syntax or types is shown once, with file and line, and the old code keeps
running until it is gone.

Options:
  --fresh           delete the data first
  --no-types        do not wait for the compiler: mistakes in types keep nothing back
  --config FILE     the system to start (default tsmicro.config.ts)
  --help            show this text

Example: GATEWAY_PORT=8080 tsmicro dev

${ENVIRONMENT}`

const RESTART = `Usage: tsmicro restart [SERVICE]

Replaces the instances of the running system (or of one service, or one instance such as auth-2) one by one: the gateway sends
no new requests to an instance, the instance finishes those it has, and when its replacement is ready, the next one follows.
With tsmicro dev, or with --replicas 2 or more, no request fails meanwhile.

Options:
  --help            show this text

Environment:
  DATA_DIR          the data of the running system (default .data)

Example: tsmicro restart auth
`

const COMMANDS = { start: START, dev: DEV, restart: RESTART }

/** The help text of one of these commands. */
export const commandHelp = (command: keyof typeof COMMANDS): string => COMMANDS[command]

/** The help text, with the commands of the system in this folder, or the reason why they cannot be listed. */
export async function helpText(configFile: string): Promise<string> {
  if (!existsSync(configFile)) return HELP
  try {
    const commands = Object.entries((await loadConfig(configFile)).config.commands ?? {})
    if (commands.length === 0) return HELP
    const width = Math.max(16, ...commands.map(([name]) => name.length)) + 2
    const lines = commands.map(([name, { description }]) => `  ${name.padEnd(width)}${description}\n`)
    return `${HELP}\nCommands of this system (tsmicro COMMAND --help):\n${lines.join('')}`
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return `${HELP}\nThe commands of this system cannot be listed: ${error.message}\n`
  }
}
