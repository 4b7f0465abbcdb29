import { pino } from 'pino'
import { serializeError } from './error.ts'
import { maskText, redact } from './redact.ts'

/** From the noisiest to silence. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** One log call: fields with a message, or a message alone. An error goes in the field `err`. */
interface LogMethod {
  (fields: object, message?: string): void
  (message: string): void
}

/** What the framework writes to. Structural: a pino logger fits, so does any object with these methods. */
export interface Logger {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  /** A logger that adds these fields to every line. */
  child(fields: object): Logger
}

export interface LoggerOptions {
  /** The service, in every line. */
  readonly name: string
  /** Default `info`. */
  readonly level?: LogLevel
  /** Receives whole lines, line break included. Default: standard output. */
  readonly destination?: { write(line: string): void }
}

/**
 * A logger that writes one JSON object a line: `{"level":"info","time":"2026-01-31T12:00:00.000Z","name":"auth",…,"msg":"…"}`.
 * Fields that are named like credentials are redacted at any depth; JWTs, bearer tokens and passwords in URLs are masked
 * wherever they occur in the line, stack traces included. Errors carry their chain of causes.
 *
 * @example
 * const log: Logger = createLogger({ name: 'blog', level: 'debug' })
 * log.info({ blogId }, 'published')
 * log.error({ err }, 'publishing failed')
 */
export function createLogger({ name, level = 'info', destination }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }), log: redact },
    serializers: { err: serializeError, error: serializeError },
    // the last stage sees everything, interpolated messages and child fields included: one place, nothing to forget
    hooks: { streamWrite: maskText },
  }
  return wrap(pino(options, destination ?? standardOutput()))
}

/** A full disk or a reader that is gone loses lines, as nobody could be told; it does not end the service. */
function standardOutput(): pino.DestinationStream {
  const stream = pino.destination({ fd: process.stdout.fd ?? 1, sync: true })
  stream.on('error', () => {})
  return stream
}

/** pino runs `formatters.log` over the fields of a call, not over those of a child. */
function wrap(logger: pino.Logger): Logger {
  return {
    trace: logger.trace.bind(logger),
    debug: logger.debug.bind(logger),
    info: logger.info.bind(logger),
    warn: logger.warn.bind(logger),
    error: logger.error.bind(logger),
    fatal: logger.fatal.bind(logger),
    child: fields => wrap(logger.child(redact(fields))),
  }
}
