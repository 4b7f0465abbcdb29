/** What is wrong with a migration, for decisions in code. */
export type MigrationProblem = 'name' | 'duplicate' | 'changed' | 'missing' | 'out-of-order' | 'failed'

/** The migrations can't be applied. Needs somebody to look; trying again does not help. */
export class MigrationError extends Error {
  readonly reason: MigrationProblem
  /** The file's name. */
  readonly migration: string

  constructor(reason: MigrationProblem, migration: string, message: string, options?: ErrorOptions) {
    super(`migration ${migration} ${message}`, options)
    this.name = 'MigrationError'
    this.reason = reason
    this.migration = migration
  }
}
