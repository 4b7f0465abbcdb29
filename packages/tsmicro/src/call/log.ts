/**
 * What the framework needs of a logger: pino's shape. `tsmicro/telemetry` makes one.
 *
 * @example
 * const log: Log = createLogger({ name: 'blog' })
 */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Log
}
