export { circuitBreaker } from './circuit-breaker.ts'
export { retry } from './retry.ts'
