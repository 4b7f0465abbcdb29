/** For tests of services: the NATS door without a server. */
export { createLoopback, type Loopback, type LoopbackClientOptions, type LoopbackOptions } from './loopback/loopback.ts'
