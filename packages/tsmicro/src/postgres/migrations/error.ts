/** What is wrong with a migration, for decisions in code. */
type MigrationProblem =
  | 'name'
  | 'duplicate'
  | 'changed'
  | 'missing'
  | 'out-of-order'
  | 'failed'
  /** It begins or ends a transaction itself. */
  | 'transaction'
  /** It has something that only psql understands. */
  | 'psql'
  /** It is not UTF-8. */
  | 'encoding'
  /** An unknown line `-- tsmicro: …`. */
  | 'marker'
  /** A migration without a transaction that did not finish. */
  | 'unfinished'
  /** The database belongs to another service. */
  | 'foreign'

/** Where the problem is in the migration's file. */
interface MigrationErrorOptions extends ErrorOptions {
  readonly line?: number | undefined
  readonly statement?: string | undefined
}

/**
 * The migrations can't be applied. Somebody has to look at it; trying again does not help.
 *
 * @example
 * try {
 *   await postgres.migrate(new URL('../migrations/', import.meta.url))
 * } catch (error) {
 *   if (error instanceof MigrationError) process.exitCode = 1
 *   throw error
 * }
 */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
  readonly reason: MigrationProblem
  /** The file's name. */
  readonly migration: string
  /** The line in the file, from 1, if known. */
  readonly line: number | undefined
  /** The statement in question, if any. */
  readonly statement: string | undefined

  constructor(reason: MigrationProblem, migration: string, message: string, options: MigrationErrorOptions = {}) {
    super(`migration ${migration} ${message}`, options)
    this.reason = reason
    this.migration = migration
    this.line = options.line
    this.statement = options.statement
  }
}
