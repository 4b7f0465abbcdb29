import type { Log } from '../../call/index.ts'

/** One line that was logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Keeps what is logged, and hands it on where a test wants to see it. */
export class RecordedLog implements Log {
  readonly lines: LogLine[]
  readonly #fields: object
  readonly #to: Log | undefined

  constructor(to?: Log, lines: LogLine[] = [], fields: object = {}) {
    this.lines = lines
    this.#fields = fields
    this.#to = to
  }

  debug = (fields: object, message: string) => this.#add('debug', fields, message)
  info = (fields: object, message: string) => this.#add('info', fields, message)
  warn = (fields: object, message: string) => this.#add('warn', fields, message)
  error = (fields: object, message: string) => this.#add('error', fields, message)

  child(fields: object): RecordedLog {
    return new RecordedLog(this.#to?.child(fields), this.lines, { ...this.#fields, ...fields })
  }

  /** What was thrown first, where something went wrong in a request. */
  causeOf(requestId: string): unknown {
    return this.lines.find(({ fields }) => fields.requestId === requestId && fields.err)?.fields.err
  }

  #add(level: LogLine['level'], fields: object, message: string): void {
    this.lines.push({ level, message, fields: { ...this.#fields, ...fields } })
    this.#to?.[level](fields, message)
  }
}
