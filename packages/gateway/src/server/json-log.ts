import type { GatewayLog } from './log.ts'

/** One JSON line per event, `{level, time, msg, …}`, with pino's numeric levels. `write` gets a whole line with its end. */
export function jsonLog(write: (line: string) => void): GatewayLog {
  const at = (level: number) => (fields: object, msg: string) => {
    write(`${JSON.stringify({ level, time: Date.now(), msg, ...fields })}\n`)
  }
  return { info: at(30), warn: at(40), error: at(50) }
}
