/** What is wrong with a migration, for decisions in code. */
export type MigrationProblem =
  | 'name'
  | 'duplicate'
  | 'changed'
  | 'missing'
  | 'out-of-order'
  | 'failed'
  /** It begins or ends transactions itself. */
  | 'transaction'
  /** It has what only psql understands. */
  | 'psql'
  /** It is not UTF-8. */
  | 'encoding'
  /** A line `-- tsmicro: …` that is not understood. */
  | 'marker'
  /** One without a transaction that did not come to its end. */
  | 'unfinished'
  /** The database belongs to another service. */
  | 'foreign'

/** Where in its file a migration's problem is. */
export interface MigrationErrorOptions extends ErrorOptions {
  readonly line?: number | undefined
  readonly statement?: string | undefined
}

/**
 * The migrations can't be applied. Needs somebody to look; trying again does not help.
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
  readonly reason: MigrationProblem
  /** The file's name. */
  readonly migration: string
  /** In the file, from 1, where it is known. */
  readonly line: number | undefined
  /** The statement it is about, where there is one. */
  readonly statement: string | undefined

  constructor(reason: MigrationProblem, migration: string, message: string, options: MigrationErrorOptions = {}) {
    super(`migration ${migration} ${message}`, options)
    this.name = 'MigrationError'
    this.reason = reason
    this.migration = migration
    this.line = options.line
    this.statement = options.statement
  }
}
