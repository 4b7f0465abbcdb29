import { pino } from 'pino'
import { maskText, redact, serializeError } from './redact.ts'
import { standardOutput } from './standard-output.ts'

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
  /**
   * Receives complete lines, including the line break. Default: standard output, where lines of one turn of the event loop are written
   * together, at once if one of them is a warning or an error.
   */
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
    timestamp: isoTime,
    formatters: { level: label => ({ level: label }), log: redact },
    serializers: { err: serializeError, error: serializeError },
    // The last stage sees everything, including interpolated messages and child fields.
    hooks: { streamWrite: maskText },
  }
  if (destination) return wrap(pino(options, destination), () => {})
  const output = standardOutput()
  return wrap(pino(options, output), () => output.flush())
}

let millisecond = 0
let written = ''

/** The member of a line that says when. Made once for all lines of a millisecond. */
function isoTime(): string {
  const now = Date.now()
  if (now !== millisecond) {
    millisecond = now
    written = `,"time":"${new Date(now).toISOString()}"`
  }
  return written
}

/**
 * pino applies `formatters.log` to the fields of a call, but not to those of a child.
 * @param flush called after what should be seen even if the process dies next
 */
function wrap(logger: pino.Logger, flush: () => void): Logger {
  const urgent = (method: pino.LogFn): LogMethod => {
    const write = method.bind(logger) as (...given: unknown[]) => void
    return (...given: unknown[]) => {
      write(...given)
      flush()
    }
  }
  return {
    trace: logger.trace.bind(logger),
    debug: logger.debug.bind(logger),
    info: logger.info.bind(logger),
    warn: urgent(logger.warn),
    error: urgent(logger.error),
    fatal: urgent(logger.fatal),
    child: fields => wrap(logger.child(redact(fields)), flush),
  }
}
