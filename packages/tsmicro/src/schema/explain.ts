import type { TSchema } from 'typebox'
import { Errors } from 'typebox/schema'
import { Hashing } from 'typebox/system'
import { MAX_DETAILS, type Problems, unknownFields } from './problems.ts'
import { mapSubschemas, withKeywords } from './references.ts'
import type { JsonSchema } from './schema.ts'

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

/**
 * Compiles a function that explains why a value does not match. It is slower than a check, so use it only for such values.
 *
 * `uniqueItems` is checked here, because TypeBox 1.4 copies its list of duplicates for each further one: 120,000 equal items, half a
 * megabyte of JSON, kept the process busy for two minutes.
 */
export function compileExplain(schema: JsonSchema): (value: unknown) => Problems {
  const explained = withOwnUniqueItems(schema) as TSchema
  return value => problemsOf(Errors(explained, value)[1])
}

function problemsOf(errors: readonly SchemaError[]): Problems {
  // `false` schemas only repeat what the unknown-field message of the parent says.
  const telling = errors.filter(error => error.keyword !== 'boolean').slice(0, MAX_DETAILS)
  const problems = telling.map(error => ({
    path: error.instancePath.replace(/^\//, ''),
    message: messageOf(error),
  }))
  return problems.length > 0 ? problems : [{ path: '', message: 'does not match the schema' }]
}

function messageOf({ message, params }: SchemaError): string {
  const { additionalProperties, unevaluatedProperties = additionalProperties } = params as {
    readonly additionalProperties?: readonly string[]
    readonly unevaluatedProperties?: readonly string[]
  }
  return unevaluatedProperties ? unknownFields(unevaluatedProperties) : message
}

function withOwnUniqueItems(node: JsonSchema): JsonSchema {
  const copy = mapSubschemas(node, withOwnUniqueItems)
  const own = ((node['~refine'] ?? []) as readonly Refinement[]).map(lenient)
  const all = node.uniqueItems === true ? [...own, uniqueness(node)] : own
  return all.length === 0 ? copy : withKeywords(copy, { uniqueItems: false, '~refine': all })
}

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

function uniqueness({ maxItems }: JsonSchema): Refinement {
  const most = typeof maxItems === 'number' ? maxItems : Number.POSITIVE_INFINITY
  return {
    // Too many items are already reported as a problem, and a hostile sender wants us to do useless work.
    check: (value: unknown) =>
      !Array.isArray(value) ||
      value.length > most ||
      new Set(value.map(item => Hashing.Hash(item))).size === value.length,
    error: () => 'must not have duplicate items',
  }
}
