export { type CircuitBreakerOptions, circuitBreaker } from './circuit-breaker.ts'
export { type RetryOptions, retry } from './retry.ts'
