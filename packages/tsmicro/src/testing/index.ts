/** For tests of services: the NATS door without a server. */
export { createLoopback, type Loopback } from './loopback/loopback.ts'
