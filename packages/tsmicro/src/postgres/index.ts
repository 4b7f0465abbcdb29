export { compileQuery } from './compiled-query.ts'
export { isCheckViolation, isForeignKeyViolation, isSerializationFailure, isUniqueViolation } from './errors.ts'
export { MigrationError } from './migrations/error.ts'
export { createPostgres, type Postgres } from './postgres.ts'
