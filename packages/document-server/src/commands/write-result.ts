import { Int32 } from 'bson'
import type { Doc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'

/** Documents or statements in one writing command, as in MongoDB. */
const mostStatements = 100_000

/** Counts the statements that failed, by MongoDB's rules. */
export class WriteErrors {
  readonly #ordered: boolean
  readonly #list: Doc[] = []

  /** @throws CommandError for no statements, or too many */
  constructor(statements: number, ordered: boolean) {
    if (statements === 0 || statements > mostStatements)
      throw new CommandError(
        'BadValue',
        `Write batch sizes must be between 1 and ${mostStatements}. Got ${statements} operations.`,
      )
    this.#ordered = ordered
  }

  /** After a failure an ordered command stops, an unordered one goes on. */
  get stopped(): boolean {
    return this.#ordered && this.#list.length > 0
  }

  /** Lists the failure of a statement; any that is not the statement's own fault ends the command. */
  add(index: number, error: unknown): void {
    if (!(error instanceof CommandError)) throw error
    this.#list.push({ index: new Int32(index), code: new Int32(error.code), errmsg: error.message, ...error.details })
  }

  /** `writeErrors` is left out of a reply without failures. */
  in(reply: Doc): Doc {
    return this.#list.length > 0 ? { ...reply, writeErrors: this.#list } : reply
  }
}

/** Runs the statements one after the other. What succeeded stays. */
export async function runStatements<T>(
  statements: readonly T[],
  ordered: boolean,
  run: (statement: T, index: number) => Promise<void>,
): Promise<WriteErrors> {
  const errors = new WriteErrors(statements.length, ordered)
  for (const [index, statement] of statements.entries()) {
    await run(statement, index).catch(error => errors.add(index, error))
    if (errors.stopped) break
  }
  return errors
}
