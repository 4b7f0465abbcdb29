export { isCheckViolation, isForeignKeyViolation, isSerializationFailure, isUniqueViolation } from './errors.ts'
export { MigrationError, type MigrationProblem } from './migrations/error.ts'
export { createPostgres, type Postgres, type PostgresOptions } from './postgres.ts'
