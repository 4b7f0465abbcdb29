/** Where the gateway reports to, for example a pino logger. It never gets a header value, a body, a key or a query string. */
export interface GatewayLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export const silentLog: GatewayLog = { info() {}, warn() {}, error() {} }

/** Writes a JSON line per event, `{level, time, msg, …}`, with pino's numeric levels. `write` gets the line with its line feed. */
export function jsonLog(write: (line: string) => void): GatewayLog {
  const at = (level: number) => (fields: object, msg: string) => {
    write(`${JSON.stringify({ level, time: Date.now(), msg, ...fields })}\n`)
  }
  return { info: at(30), warn: at(40), error: at(50) }
}

/** What a log says of something thrown. */
export function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : String(error)
}
