/**
 * An index can't be as code wants it. Needs somebody to look; trying again does not help.
 *
 * @example
 * try {
 *   await mongo.ensureIndexes()
 * } catch (error) {
 *   if (error instanceof IndexError) process.exitCode = 1
 *   throw error
 * }
 */
export class IndexError extends Error {
  /** `conflict`: there is another one of that name or on those fields. `duplicates`: documents break a unique one. */
  readonly reason: 'conflict' | 'duplicates'
  readonly collection: string
  readonly index: string

  constructor(reason: 'conflict' | 'duplicates', collection: string, index: string, options?: ErrorOptions) {
    super(
      reason === 'conflict'
        ? `index ${index} of ${collection} exists in another form: drop it or rename the new one`
        : `index ${index} of ${collection} can't be made unique: there are documents with equal values`,
      options,
    )
    this.name = 'IndexError'
    this.reason = reason
    this.collection = collection
    this.index = index
  }
}
