import { InfraError } from '@tsmicro/infra'
import { readArguments } from './arguments.ts'
import { CliError, UsageError } from './errors.ts'
import { runGateway } from './gateway/command.ts'
import { helpText } from './help.ts'
import { watchParent } from './parent.ts'
import { runRestart } from './restart/command.ts'
import { runCommand } from './run/command.ts'
import { runStart } from './start/command.ts'
import { isDiskFull } from './supervise/disk.ts'

const SAME_KEYSTROKE_MS = 500

/** @returns the exit code */
async function main(): Promise<number> {
  const command = readArguments(process.argv.slice(2))
  if (command.kind === 'help') {
    process.stdout.write(await helpText(command.config))
    return 0
  }
  const gone = new AbortController()
  if (command.kind === 'gateway') {
    watchParent(() => gone.abort())
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => gone.abort())
    return runGateway(command.args, gone.signal)
  }
  if (command.kind === 'run') {
    watchParent(() => gone.abort())
    const { config: configFile, name, args } = command
    return runCommand({ configFile, name, args, env: process.env, gone: gone.signal })
  }
  if (command.kind === 'restart') {
    await runRestart({ service: command.service, env: process.env, stdout: process.stdout })
    return 0
  }
  const drain = new AbortController()
  const kill = new AbortController()
  let askedAt = 0
  const onSignal = () => {
    // One Ctrl-C may arrive twice: from the terminal, and once more from npm, which forwards it.
    if (drain.signal.aborted && Date.now() - askedAt < SAME_KEYSTROKE_MS) return
    if (drain.signal.aborted) {
      kill.abort()
      process.exit(130)
    }
    askedAt = Date.now()
    drain.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal)
  watchParent(() => drain.abort())
  // A terminal or pipe that is gone must not end the supervisor before it has drained.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', error => {
      // A log on a full disk misses some lines; the system goes on.
      if (!isDiskFull(error)) drain.abort()
    })
  await runStart({
    configFile: command.config,
    fresh: command.fresh,
    replicas: command.replicas,
    env: process.env,
    stdout: process.stdout,
    drain: drain.signal,
    kill: kill.signal,
  })
  return 0
}

main().then(
  code => process.exit(code),
  (error: unknown) => {
    const known = error instanceof CliError || error instanceof InfraError
    const text = error instanceof Error ? (known ? error.message : error.stack) : String(error)
    process.stderr.write(`tsmicro: ${text}${error instanceof UsageError ? ' (see tsmicro --help)' : ''}\n`)
    process.exit(error instanceof UsageError ? 2 : 1)
  },
)
