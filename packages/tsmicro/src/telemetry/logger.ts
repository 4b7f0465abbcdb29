import { pino } from 'pino'
import { maskText, redact, serializeError } from './redact.ts'

/** From the most verbose to silence. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** One log call: fields with a message, or a message alone. An error goes in the field `err`. */
interface LogMethod {
  (fields: object, message?: string): void
  (message: string): void
}

/** What the framework logs to. Any object with these methods fits, a pino logger for example. */
export interface Logger {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  /** Returns a logger that adds these fields to every line. */
  child(fields: object): Logger
}

export interface LoggerOptions {
  /** The service's name, in every line. */
  readonly name: string
  /** Default `info`. */
  readonly level?: LogLevel
  /** Receives complete lines, including the line break. Default: standard output. */
  readonly destination?: { write(line: string): void }
}

/**
 * A logger that writes one JSON object per line:
 * `{"level":"info","time":"2026-01-31T12:00:00.000Z","name":"auth",…,"msg":"…"}`. Fields that are named like credentials are
 * redacted at any depth. JWTs, bearer tokens and passwords in URLs are masked anywhere in the line, including stack traces.
 * Errors are logged with their chain of causes.
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
    // The last stage sees everything, including interpolated messages and child fields.
    hooks: { streamWrite: maskText },
  }
  return wrap(pino(options, destination ?? standardOutput()))
}

/** If the disk is full or the reader is gone, lines are lost, but the service goes on. */
function standardOutput(): pino.DestinationStream {
  const stream = pino.destination({ fd: process.stdout.fd ?? 1, sync: true })
  stream.on('error', () => {})
  return stream
}

/** pino applies `formatters.log` to the fields of a call, but not to those of a child. */
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
