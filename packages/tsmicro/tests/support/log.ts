import type { Log } from 'tsmicro'

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A log that remembers. */
export class RecordedLog implements Log {
  readonly lines: Line[]
  readonly #fields: object

  constructor(lines: Line[] = [], fields: object = {}) {
    this.lines = lines
    this.#fields = fields
  }

  debug = (fields: object, message: string) => this.#add('debug', fields, message)
  info = (fields: object, message: string) => this.#add('info', fields, message)
  warn = (fields: object, message: string) => this.#add('warn', fields, message)
  error = (fields: object, message: string) => this.#add('error', fields, message)

  child(fields: object): Log {
    return new RecordedLog(this.lines, { ...this.#fields, ...fields })
  }

  at(level: Line['level']): readonly Line[] {
    return this.lines.filter(line => line.level === level)
  }

  #add(level: Line['level'], fields: object, message: string): void {
    this.lines.push({ level, message, fields: { ...this.#fields, ...fields } })
  }
}
