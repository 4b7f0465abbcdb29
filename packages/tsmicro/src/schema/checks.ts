import { closeSchema } from './close.ts'
import { compileDefaults } from './defaults.ts'
import { describeAccepted } from './describe.ts'
import { compileExplain } from './explain.ts'
import { addHints, asJson } from './json-form.ts'
import { type Check, type Checked, distinct, type Problems, problemsOfIssues } from './problems.ts'
import { compilePrune, unnamedIn } from './prune.ts'
import { type Matcher, mapSubschemas, TESTS } from './references.ts'
import { isStandardSchema, type JsonSchema, type Schema, type StandardSchema } from './schema.ts'
import { compileSnapshot } from './snapshot.ts'

/**
 * `refuse`: an unknown field is a problem (input of clients). `ignore`: it is dropped (messages between services). What a
 * Standard Schema names is what its JSON Schema says.
 */
type UnknownFields = 'refuse' | 'ignore'

const SAME = (value: unknown) => value

/** The checks of both directions. Each is prepared once, at start: compiling is costly. */
export interface Checks {
  /** Checks what has come. */
  incoming(schema: Schema, unknownFields: UnknownFields): Check
  /** As `incoming`; absent properties get their schema's default first. */
  request(schema: Schema, unknownFields: UnknownFields): Check
  /**
   * Checks what leaves: an answer, an event, a call's data. Its value is what is to be written, and nothing but what was checked: fields
   * that the schema does not name are dropped, and what is not a plain object (a row with getters) is copied by the names of the schema.
   * What travels is the schema's input side: a transform runs where the value is taken in, once.
   */
  outgoing(schema: Schema): Check
  /** As `outgoing`, for what others take in: absent properties get their schema's default first. */
  defaultedOutgoing(schema: Schema): Check
}

/** @param leaf what becomes of a value that leaves and is described as neither an object nor a list */
export function createChecks(matcher: Matcher, leaf = SAME): Checks {
  const prepared = new WeakMap<Schema, Prepared>()
  const prepare = (schema: Schema): Prepared => {
    const known = prepared.get(schema)
    if (known) return known
    const made = isStandardSchema(schema)
      ? standardChecks(schema, matcher)
      : jsonChecks(schema as JsonSchema, matcher, leaf)
    prepared.set(schema, made)
    return made
  }
  return {
    incoming: (schema, unknownFields) => guarded(prepare(schema).incoming(unknownFields, false)),
    request: (schema, unknownFields) => guarded(prepare(schema).incoming(unknownFields, true)),
    outgoing: schema => guarded(prepare(schema).outgoing(false)),
    defaultedOutgoing: schema => guarded(prepare(schema).outgoing(true)),
  }
}

interface Prepared {
  incoming(unknownFields: UnknownFields, defaults: boolean): Check
  outgoing(defaults: boolean): Check
}

function jsonChecks(schema: JsonSchema, matcher: Matcher, leaf: (value: unknown) => unknown): Prepared {
  const fill = compileDefaults(schema, matcher) ?? SAME
  const snapshot = compileSnapshot(schema, leaf)
  const prune = compilePrune(schema, matcher)
  /** Whether a value matches and all of its fields are named. In doubt, as with intersections of nested objects, it says no. */
  const matchesClosed = matcher(closeSchema(schema))
  const matches = matcher(schema)
  const explain = compileExplain(schema)

  const refuseUnknown = (value: unknown): Checked => {
    if (matchesClosed(value)) return { value }
    const wrong = matches(value) ? [] : explain(value)
    const problems = distinct([...wrong, ...unnamedIn(value, prune(value))])
    return problems.length > 0 ? { problems } : { value }
  }
  const dropUnknown = (value: unknown): Checked => {
    // Nearly every message has no unknown field: one check against the closed form, and a copy only for the rest.
    if (matchesClosed(value)) return { value }
    return matches(value) ? { value: prune(value) } : { problems: explain(value) }
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

/** A Standard Schema checks by itself, and may make something of what it takes. Its description adds which fields it names. */
function standardChecks(schema: StandardSchema, matcher: Matcher): Prepared {
  const structure = structureOf(describeAccepted(schema))
  const snapshot = compileSnapshot(structure)
  const prune = compilePrune(structure, matcher)
  const matches = matcher(structure)
  const explain = compileExplain(structure)
  /** A library may take more than it says, as valibot takes a list for `v.object({})`. Whether nothing at all will do is its own business. */
  const misdescribed = (value: unknown) => (value === undefined || matches(value) ? [] : explain(value))

  /** @param value the library may change it, as arktype does */
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
      const written = asJson(prune(snapshot(given)))
      if (written.problems) return written
      const { problems } = await validate(snapshot(written.value), misdescribed(written.value))
      return problems ? { problems: addHints(problems, given) } : { value: written.value }
    },
  }
}

/** Rules that libraries read in ways of their own: how long a text is, what a time or an e-mail address looks like. */
const OWN_RULES = ['format', 'pattern', 'minLength', 'maxLength', 'multipleOf', 'contentEncoding', 'default']

/** A description without the rules that the library itself checks. */
function structureOf(node: JsonSchema): JsonSchema {
  const { oneOf, ...others } = mapSubschemas(node, (each, keyword) =>
    TESTS.includes(keyword) ? each : structureOf(each),
  )
  for (const rule of OWN_RULES) delete (others as Record<string, unknown>)[rule]
  // Without those rules several of the alternatives may match.
  return oneOf === undefined ? others : { ...others, anyOf: oneOf }
}

/** A schema that contains itself is checked recursively: hostile nesting is then a problem of the value, not of ours. */
function guarded(check: Check): Check {
  const tooDeep = (error: unknown): Checked => {
    if (error instanceof RangeError) return { problems: [{ path: '', message: 'is nested too deeply' }] }
    throw error
  }
  return value => {
    try {
      const outcome = check(value)
      return outcome instanceof Promise ? outcome.catch(tooDeep) : outcome
    } catch (error) {
      return tooDeep(error)
    }
  }
}
