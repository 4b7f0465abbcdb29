import { addHints } from '#hints'
import { closeSchema } from './close.ts'
import { compileReading } from './coerce.ts'
import { compileDefaults } from './defaults.ts'
import { describeSchema, describeWire, PRESENT, STRICT } from './describe.ts'
import { compileExplain, type Rule } from './explain.ts'
import { asJson, NoJsonError, ownForm } from './json-form.ts'
import { type Check, type Checked, distinct, type Problems, problemsOfIssues } from './problems.ts'
import { compilePrune, EXCLUSIVE, unnamedIn } from './prune.ts'
import { type Matcher, withNamedParts } from './references.ts'
import { isStandardSchema, type JsonSchema, type Schema, type StandardSchema } from './schema.ts'
import { compileSnapshot } from './snapshot.ts'
import { mapSubschemas, mentions, TESTS } from './subschemas.ts'

/**
 * `refuse`: an unknown field is a problem (input of clients). `ignore`: it is dropped (messages between services). The JSON Schema of a
 * Standard Schema says which fields it names.
 */
type UnknownFields = 'refuse' | 'ignore'

const SAME = (value: unknown) => value

/** The checks of both directions. Each is prepared once, at start: compiling is costly. */
export interface Checks {
  /** Checks data that was received. */
  incoming(schema: Schema, unknownFields: UnknownFields): Check
  /** Like `incoming`, but absent properties get their schema's default first. */
  request(schema: Schema, unknownFields: UnknownFields): Check
  /**
   * Checks data that is about to be sent: an answer, an event, a call's input. Returns the value to write, which contains only what was
   * checked: fields that the schema does not name are dropped, and from an object that is not plain (a row with getters) only the named
   * fields are copied. Messages contain the schema's input side: a transform runs once, at the receiver.
   */
  outgoing(schema: Schema): Check
  /** Like `outgoing`, for data that the receiver decodes: absent properties get their schema's default first. */
  defaultedOutgoing(schema: Schema): Check
  /** Reads the texts of a path and a query as the receiver will. */
  reading(schema: Schema): ReturnType<typeof compileReading>
}

/** @param uniqueItems explains that keyword in place of TypeBox, where senders may be hostile */
export function createChecks(matcher: Matcher, uniqueItems?: Rule): Checks {
  const prepared = new WeakMap<Schema, Prepared>()
  const prepare = (schema: Schema): Prepared => {
    const known = prepared.get(schema)
    if (known) return known
    const made = isStandardSchema(schema)
      ? standardChecks(schema, matcher, uniqueItems)
      : jsonChecks(withNamedParts(schema as JsonSchema), matcher, uniqueItems)
    prepared.set(schema, made)
    return made
  }
  return {
    incoming: (schema, unknownFields) => guarded(prepare(schema).incoming(unknownFields, false)),
    request: (schema, unknownFields) => guarded(prepare(schema).incoming(unknownFields, true)),
    outgoing: schema => guarded(prepare(schema).outgoing(false)),
    defaultedOutgoing: schema => guarded(prepare(schema).outgoing(true)),
    reading: schema => compileReading(describeSchema(schema), matcher),
  }
}

interface Prepared {
  incoming(unknownFields: UnknownFields, defaults: boolean): Check
  outgoing(defaults: boolean): Check
}

function jsonChecks(schema: JsonSchema, matcher: Matcher, uniqueItems?: Rule): Prepared {
  const fill = compileDefaults(schema, matcher) ?? SAME
  const snapshot = compileSnapshot(schema)
  const prune = compilePrune(schema, matcher)
  /** Whether a value matches and all its fields are named. When in doubt, as with intersections of nested objects, false. */
  const matchesClosed = mentions(schema, UNSURE) ? () => false : matcher(closeSchema(schema))
  const matches = matcher(schema)
  const explain = compileExplain(schema, uniqueItems)

  const refuseUnknown = (value: unknown): Checked => {
    if (matchesClosed(value)) return { value }
    const named = prune(value)
    const problems = distinct([...(matches(named) ? [] : explain(named)), ...unnamedIn(value, named)])
    return problems.length > 0 ? { problems } : { value: named }
  }
  const dropUnknown = (value: unknown): Checked => {
    // Few messages have unknown fields, so one check against the closed form usually suffices, and only the others are copied.
    if (matchesClosed(value)) return { value }
    const named = prune(value)
    return matches(named) ? { value: named } : { problems: explain(named) }
  }
  return {
    incoming(unknownFields, defaults) {
      const check = unknownFields === 'refuse' ? refuseUnknown : dropUnknown
      return defaults && fill !== SAME ? value => check(fill(value)) : check
    },
    outgoing(defaults) {
      return given => {
        const value = (defaults ? fill : SAME)(snapshot(given))
        if (matchesClosed(value)) return { value }
        const pruned = prune(value)
        return matches(pruned) ? { value: pruned } : { problems: addHints(explain(pruned), given) }
      }
    },
  }
}

/** A Standard Schema does its own checks and may transform the value. Its description adds which fields it names. */
function standardChecks(schema: StandardSchema, matcher: Matcher, uniqueItems?: Rule): Prepared {
  const structure = withNamedParts(structureOf(describeWire(schema)))
  const snapshot = compileSnapshot(structure, ownForm)
  const prune = compilePrune(structure, matcher)
  const matches = matcher(structure)
  const explain = compileExplain(structure, uniqueItems)
  /** A library may accept more than it describes: valibot accepts a list for `v.object({})`. It decides itself about undefined. */
  const misdescribed = (value: unknown) =>
    (value === undefined && structure[PRESENT] !== true) || matches(value) ? [] : explain(value)

  /** @param value the library may modify it, as arktype does */
  const validate = async (value: unknown, wrong: Problems, unnamed: Problems = []) => {
    const { issues, ...result } = await schema['~standard'].validate(value)
    const problems = distinct([...(issues ? problemsOfIssues(issues) : wrong), ...unnamed])
    return { problems: issues || problems.length > 0 ? problems : undefined, result }
  }
  return {
    incoming: unknownFields => async value => {
      const named = prune(value)
      const unnamed = unknownFields === 'refuse' ? unnamedIn(value, named) : []
      const { problems, result } = await validate(named, misdescribed(named), unnamed)
      return problems ? { problems } : (result as { readonly value: unknown })
    },
    outgoing: () => async given => {
      const value = asJson(prune(snapshot(given)))
      const { problems } = await validate(snapshot(value), misdescribed(value))
      return problems ? { problems: addHints(problems, given) } : { value }
    },
  }
}

/** Closing an object changes what these find, so only pruning tells which fields are named. */
const UNSURE = ['oneOf', 'not', 'if', 'contains', 'unevaluatedProperties']

/** Rules that each library interprets in its own way: the length of a text, the format of a time or an e-mail address. */
const OWN_RULES = ['format', 'pattern', 'minLength', 'maxLength', 'multipleOf', 'contentEncoding', 'default']

/** A description without the rules that the library checks itself. */
function structureOf(node: JsonSchema): JsonSchema {
  const { oneOf, ...others } = mapSubschemas(node, (each, keyword) =>
    TESTS.includes(keyword) ? each : structureOf(each),
  )
  if (!(STRICT in node)) for (const rule of OWN_RULES) delete (others as Record<string, unknown>)[rule]
  // Without those rules several of the alternatives may match.
  return oneOf === undefined ? others : { ...others, anyOf: oneOf, [EXCLUSIVE]: true }
}

/**
 * A recursive schema is checked recursively, so hostile nesting overflows the stack. We report that as a problem of the value, as well as
 * what JSON cannot carry.
 */
function guarded(check: Check): Check {
  const problemOf = (error: unknown): Checked => {
    if (error instanceof NoJsonError) return { problems: [error.problem] }
    if (error instanceof RangeError) return { problems: [{ path: '', message: 'is nested too deeply' }] }
    throw error
  }
  return value => {
    try {
      const outcome = check(value)
      return outcome instanceof Promise ? outcome.catch(problemOf) : outcome
    } catch (error) {
      return problemOf(error)
    }
  }
}
