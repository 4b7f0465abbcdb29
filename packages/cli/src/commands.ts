import { InfraError } from '@tsmicro/infra'
import { readArguments } from './command-line.ts'
import { CliError, UsageError } from './errors.ts'
import { commandHelp, helpText } from './help.ts'
import { runRestart } from './restart/control.ts'
import { runCommand } from './run.ts'
import { runStart } from './start/command.ts'
import { isDiskFull } from './supervise/disk.ts'

const SAME_KEYSTROKE_MS = 500
const PARENT_CHECK_MS = 500

/** Runs the command of this process's command line, and ends the process with its exit code. */
export function runCommandLine(): void {
  run().then(code => process.exit(code), fail)
}

async function run(): Promise<number> {
  const command = readArguments(process.argv.slice(2))
  const { env, stdout, stderr } = process
  if (command.kind === 'help') {
    stdout.write(command.command ? commandHelp(command.command) : await helpText(command.config))
    return 0
  }
  if (command.kind === 'restart') {
    await runRestart({ service: command.service, env, stdout })
    return 0
  }
  if (command.kind === 'contracts') {
    // Loaded only here, as the framework is not needed by other commands.
    const { runContracts } = await import('./contracts/command.ts')
    return runContracts({ configFile: command.config, args: command.args, write: text => stdout.write(text) })
  }
  if (command.kind === 'events') {
    const { runEvents } = await import('./events/command.ts')
    const { config: configFile, args } = command
    return runEvents({ configFile, args, env, write: text => stdout.write(text), tell: text => stderr.write(text) })
  }
  if (command.kind === 'add') {
    // Loaded only here, with the parser that it needs.
    const { runAdd } = await import('./add/command.ts')
    return runAdd(command.args, command.config, text => stdout.write(text))
  }
  if (command.kind === 'new') {
    const { runNew } = await import('./new.ts')
    return runNew(command.args, text => stdout.write(text))
  }
  if (command.kind === 'doctor') {
    const { runDoctor } = await import('./doctor/command.ts')
    return runDoctor({ configFile: command.config, args: command.args, env, stdout })
  }
  if (command.kind === 'generate') {
    // Loaded only here, with the framework that it needs.
    const { runGenerate } = await import('./generate/command.ts')
    return runGenerate(command.args, command.config, text => stdout.write(text))
  }
  const drain = new AbortController()
  watchParent(() => drain.abort())
  if (command.kind === 'explorer') {
    // Loaded only here, with the framework that it needs.
    const { runExplorerCommand } = await import('./explorer/command.ts')
    const { config: configFile, args } = command
    onInterrupt(() => drain.abort())
    return runExplorerCommand({ configFile, args, env, write: text => stdout.write(text), gone: drain.signal })
  }
  if (command.kind === 'run') {
    const { config: configFile, name, args } = command
    return runCommand({ configFile, name, args, env, gone: drain.signal })
  }
  for (const stream of [stdout, stderr])
    stream.on('error', error => {
      // A terminal or pipe that is gone must not end the supervisor before it has drained. On a full disk the log loses lines,
      // but the system goes on.
      if (command.kind === 'gateway' || !isDiskFull(error)) drain.abort()
    })
  if (command.kind === 'gateway') {
    // Loaded only here, as no other command needs it.
    const { runGatewayCommand } = await import('@tsmicro/gateway/command')
    return runGatewayCommand(command.args, {
      usage: 'tsmicro gateway run',
      name: 'tsmicro gateway run',
      gone: drain.signal,
    })
  }
  const kill = new AbortController()
  let signalledAt = 0
  const onSignal = () => {
    // One Ctrl-C may arrive twice: from the terminal, and again from npm, which forwards it.
    if (drain.signal.aborted && Date.now() - signalledAt < SAME_KEYSTROKE_MS) return
    if (drain.signal.aborted) {
      kill.abort()
      process.exit(130)
    }
    signalledAt = Date.now()
    drain.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal)
  const { config: configFile, fresh } = command
  const common = { configFile, fresh, env, stdout, drain: drain.signal, kill: kill.signal }
  if (command.kind === 'start') await runStart({ ...common, replicas: command.replicas })
  else {
    // Loaded only here, with the watcher and the parser that it needs.
    const { runDev } = await import('./dev/command.ts')
    await runDev({ ...common, checkTypes: command.checkTypes })
  }
  return 0
}

/** Calls back when somebody wants the process to end. */
function onInterrupt(end: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
}

/** Calls back when the parent process has ended: `kill -9` of npm would otherwise leave a supervisor that nobody knows of. */
function watchParent(onEnd: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onEnd()
  }, PARENT_CHECK_MS)
  timer.unref()
}

function fail(error: unknown): never {
  const isKnown = error instanceof CliError || error instanceof InfraError
  const text = error instanceof Error ? (isKnown ? error.message : error.stack) : String(error)
  process.stderr.write(`tsmicro: ${text}${error instanceof UsageError ? ' (see tsmicro --help)' : ''}\n`)
  process.exit(error instanceof UsageError ? 2 : 1)
}
