/** Header names on the wire; see docs/messaging.md. The first two belong to the NATS services protocol (ADR-32). */
export const ERROR_CODE = 'Nats-Service-Error-Code'
export const ERROR_TEXT = 'Nats-Service-Error'
/** Name from the error table, so that the same class can be made again at the other end. */
export const ERROR_NAME = 'Tsmicro-Error'
/** Milliseconds the caller will still wait: relative, so that clocks don't matter. */
export const BUDGET = 'Tsmicro-Budget-Ms'
/** Kept across every hop. */
export const REQUEST_ID = 'x-request-id'
/** W3C Trace Context. */
export const TRACEPARENT = 'traceparent'
export const AUTHORIZATION = 'authorization'
/** Seconds after which a retry makes sense, as in HTTP. */
export const RETRY_AFTER = 'Tsmicro-Retry-After'
