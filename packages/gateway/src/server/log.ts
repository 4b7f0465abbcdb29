/** Where the gateway reports to; a pino logger fits. No header value, body, key or query string is ever passed to it. */
export interface GatewayLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export const silentLog: GatewayLog = { info() {}, warn() {}, error() {} }
