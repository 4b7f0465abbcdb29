import type { TSchema } from 'typebox'
import { Errors } from 'typebox/schema'
import { MAX_DETAILS, type Problems, unknownFields } from './problems.ts'
import type { JsonSchema } from './schema.ts'
import { mapSubschemas, withKeywords } from './subschemas.ts'

interface SchemaError {
  readonly keyword: string
  readonly schemaPath: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

/**
 * Compiles a function that explains why a value does not match. It is slower than a check, so use it only for such values.
 *
 * @param uniqueItems explains that keyword in place of TypeBox
 */
export function compileExplain(schema: JsonSchema, uniqueItems?: Rule): (value: unknown) => Problems {
  const explained = withOwnRules(schema, uniqueItems) as TSchema
  return value => problemsOf(Errors(explained, value)[1])
}

function problemsOf(errors: readonly SchemaError[]): Problems {
  // For an unknown field, `false` only repeats what the message of the object says.
  const telling = errors
    .filter(({ keyword, schemaPath }) => keyword !== 'boolean' || !/Properties$/.test(schemaPath))
    .slice(0, MAX_DETAILS)
  const problems = telling.map(error => ({
    path: error.instancePath.replace(/^\//, ''),
    message: messageOf(error),
  }))
  return problems.length > 0 ? problems : [{ path: '', message: 'does not match the schema' }]
}

function messageOf({ keyword, message, params }: SchemaError): string {
  if (keyword === 'boolean') return 'must not be there'
  const { additionalProperties, unevaluatedProperties = additionalProperties } = params as {
    readonly additionalProperties?: readonly string[]
    readonly unevaluatedProperties?: readonly string[]
  }
  return unevaluatedProperties ? unknownFields(unevaluatedProperties) : message
}

function withOwnRules(node: JsonSchema, uniqueItems?: Rule): JsonSchema {
  const copy = mapSubschemas(node, each => withOwnRules(each, uniqueItems))
  const own = ((node['~refine'] ?? []) as readonly Refinement[]).map(lenient)
  if (uniqueItems && node.uniqueItems === true)
    return withKeywords(copy, { uniqueItems: false, '~refine': [...own, uniqueItems(node)] })
  return own.length === 0 ? copy : withKeywords(copy, { '~refine': own })
}

/** What a keyword of a node demands, in the form of `Type.Refine`. */
export type Rule = (node: JsonSchema) => Refinement

interface Refinement {
  readonly check: (value: unknown) => boolean
  readonly error: (value: unknown) => string
}

/** Explaining also runs the checks of `Type.Refine` with values of a wrong type, for which they are not made. */
function lenient({ check, error }: Refinement): Refinement {
  return {
    error,
    check(value) {
      try {
        return check(value)
      } catch {
        return true
      }
    },
  }
}
