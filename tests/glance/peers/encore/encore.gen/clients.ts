// Stands for what Encore generates as `~encore/clients`: each service with its endpoints.
export * as hello from '../serve.ts'
