import type { Doc } from '../bson/document.ts'
import { compileExpression } from './expression.ts'
import { assertWritable, type Variables } from './scope.ts'

/**
 * The variables of a command: `NOW`, the same moment for all of it, and those of its `let`, which are evaluated once. Each may use
 * those before it, but no field, as no document has been read yet.
 */
export function commandVariables(given: Doc): Variables {
  const variables: Record<string, unknown> = { NOW: new Date() }
  for (const [name, value] of Object.entries(given)) {
    assertWritable(name)
    variables[name] = compileExpression(value, { variables, isConstant: true })({})
  }
  return variables
}
