export { AuthDouble } from './auth-double.ts'
/** For tests of services: a service without a port, and the NATS door without a server. */
export { createLoopback, type Loopback } from './loopback/loopback.ts'
export { type TestApp, testService } from './service/test-service.ts'
