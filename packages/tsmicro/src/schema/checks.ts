import { closeSchema } from './close.ts'
import { compileDefaults } from './defaults.ts'
import { describeAccepted } from './describe.ts'
import { compileExplain } from './explain.ts'
import { addHints, asJson } from './json-form.ts'
import { type Check, type Checked, distinct, type Problems, problemsOfIssues } from './problems.ts'
import { compilePrune, type Prune, unnamedIn } from './prune.ts'
import { type Matcher, mapSubschemas, TESTS } from './references.ts'
import { isStandardSchema, type JsonSchema, type Schema, type StandardSchema } from './schema.ts'
import { compileSnapshot } from './snapshot.ts'

/**
 * `refuse`: an unknown field is a problem (input of clients). `ignore`: it is dropped (messages between services). What a
 * Standard Schema names is what its JSON Schema says.
 */
export type UnknownFields = 'refuse' | 'ignore'

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
      ? new StandardChecks(schema, matcher)
      : new JsonChecks(schema as JsonSchema, matcher, leaf)
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

class JsonChecks implements Prepared {
  readonly #fill: (value: unknown) => unknown
  readonly #snapshot: (value: unknown) => unknown
  readonly #prune: Prune
  /** Whether a value matches and all of its fields are named. In doubt, as with intersections of nested objects, it says no. */
  readonly #matchesClosed: (value: unknown) => boolean
  readonly #matches: (value: unknown) => boolean
  readonly #explain: (value: unknown) => Problems

  constructor(schema: JsonSchema, matcher: Matcher, leaf: (value: unknown) => unknown) {
    this.#fill = compileDefaults(schema, matcher) ?? SAME
    this.#snapshot = compileSnapshot(schema, leaf)
    this.#prune = compilePrune(schema, matcher)
    this.#matchesClosed = matcher(closeSchema(schema))
    this.#matches = matcher(schema)
    this.#explain = compileExplain(schema)
  }

  incoming(unknownFields: UnknownFields, defaults: boolean): Check {
    const check = unknownFields === 'refuse' ? this.#refuseUnknown : this.#dropUnknown
    const fill = this.#fill
    return defaults && fill !== SAME ? value => check(fill(value)) : check
  }

  readonly #refuseUnknown = (value: unknown): Checked => {
    if (this.#matchesClosed(value)) return { value }
    const wrong = this.#matches(value) ? [] : this.#explain(value)
    const problems = distinct([...wrong, ...unnamedIn(value, this.#prune(value))])
    return problems.length > 0 ? { problems } : { value }
  }

  readonly #dropUnknown = (value: unknown): Checked => {
    // Nearly every message has no unknown field: one check against the closed form, and a copy only for the rest.
    if (this.#matchesClosed(value)) return { value }
    return this.#matches(value) ? { value: this.#prune(value) } : { problems: this.#explain(value) }
  }

  outgoing(defaults: boolean): Check {
    const fill = defaults ? this.#fill : SAME
    return given => {
      const value = fill(this.#snapshot(given))
      if (this.#matchesClosed(value)) return { value }
      const pruned = this.#prune(value)
      return this.#matches(pruned) ? { value: pruned } : { problems: addHints(this.#explain(pruned), given) }
    }
  }
}

/** A Standard Schema checks by itself, and may make something of what it takes. Its description adds which fields it names. */
class StandardChecks implements Prepared {
  readonly #schema: StandardSchema
  readonly #snapshot: (value: unknown) => unknown
  readonly #prune: Prune
  /** What is wrong by the description alone: a library may take more than it says, as valibot takes a list for `v.object({})`. */
  readonly #problems: (value: unknown) => Problems

  constructor(schema: StandardSchema, matcher: Matcher) {
    const structure = structureOf(describeAccepted(schema))
    const matches = matcher(structure)
    const explain = compileExplain(structure)
    this.#schema = schema
    this.#snapshot = compileSnapshot(structure)
    this.#prune = compilePrune(structure, matcher)
    // No JSON Schema takes nothing at all, which the library has judged.
    this.#problems = value => (value === undefined || matches(value) ? [] : explain(value))
  }

  incoming(unknownFields: UnknownFields): Check {
    return async value => {
      const named = this.#prune(value)
      const unnamed = unknownFields === 'refuse' ? unnamedIn(value, named) : []
      // Before the library has it, which may make its changes in the value itself, as arktype does.
      const wrong = this.#problems(named)
      const result = await this.#schema['~standard'].validate(named)
      const problems = distinct([...(result.issues ? problemsOfIssues(result.issues) : wrong), ...unnamed])
      return problems.length > 0 || result.issues ? { problems } : { value: result.value }
    }
  }

  outgoing(): Check {
    return async given => {
      const written = asJson(this.#prune(this.#snapshot(given)))
      if (written.problems) return written
      const wrong = this.#problems(written.value)
      // A copy of what is to be written: a library may make its changes in the value itself, as arktype does.
      const result = await this.#schema['~standard'].validate(this.#snapshot(written.value))
      const problems = result.issues ? problemsOfIssues(result.issues) : wrong
      return problems.length > 0 || result.issues ? { problems: addHints(problems, given) } : { value: written.value }
    }
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
