import { type BoundProcedure, CHECKS } from '../contract/index.ts'
import { VALIDATION_FAILED } from '../errors/index.ts'
import { compileNothing, isStandardSchema, type JsonSchema, tellProblems } from '../schema/index.ts'

/**
 * Prepares the check of what is sent to a procedure. What it returns has only the fields that the schema names. A Standard Schema is left to
 * the service: what it takes may not be what travels, a Date say, and it would do its work twice.
 * @throws {VALIDATION_FAILED} from what is returned, with the details that the service would tell
 */
export function compileInput({ name, input: schema, [CHECKS]: checks }: BoundProcedure): (input: unknown) => unknown {
  if (!schema || !checks || isStandardSchema(schema)) return input => input
  const check = checks.outgoing(schema as JsonSchema)
  const nothing = compileNothing(schema)
  return input => {
    const checked = check(input === undefined ? nothing() : input)
    if (!checked.problems) return checked.value
    const message = `the data for ${name} does not match its schema: ${tellProblems(checked.problems)}`
    throw new VALIDATION_FAILED(checked.problems, { message })
  }
}
