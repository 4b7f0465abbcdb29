export { type SerializedError, serializeError } from './error.ts'
export { createLogger, type Logger, type LoggerOptions, type LogLevel, type LogMethod } from './logger.ts'
export { maskText } from './redact.ts'
