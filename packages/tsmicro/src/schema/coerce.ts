import { closeSchema } from './close.ts'
import { compileDefaults } from './defaults.ts'
import { EMPTY_LIST, fieldNodes, Kinds } from './kinds.ts'
import { numberOf } from './numbers.ts'
import { type Matcher, propertiesOf, type Root, rootOf, withDefinitions, withNamedParts } from './references.ts'
import { assign, isNode, type JsonSchema } from './schema.ts'
import { branchesOf, itemsOf } from './subschemas.ts'

type Fields = Readonly<Record<string, unknown>>
type Coerce = (input: Fields) => Fields
/** A JSON Schema's references, and the check of its parts. */
interface Scope extends Root {
  readonly matcher: Matcher
}
/** Converts a text or a list of texts to the type that the schema wants; a text that does not spell a value of that type remains a text. */
type Spelling = (value: unknown) => unknown

/**
 * Compiles the conversion of path and query strings to the types that an object schema wants, once, at the start. A text that does not
 * spell a value of the wanted type is left unchanged, so that the validator refuses it.
 */
export function compileCoercion(schema: JsonSchema, matcher: Matcher): Coerce {
  const named = withNamedParts(schema)
  return coerceOf(named, { ...rootOf(named), matcher })
}

/** Compiles the reading of a path's and a query's texts as one value. */
export function compileReading(schema: JsonSchema, matcher: Matcher): (params: Fields, query: Fields) => Fields {
  const coerce = compileCoercion(schema, matcher)
  const withEmptyLists = compileEmptyLists(schema)
  return (params, query) => coerce({ ...params, ...withEmptyLists(query) })
}

/** Compiles the reading of empty lists in a query: `tags[]` without a value means that `tags` is empty, if it may be a list. */
export function compileEmptyLists(schema: JsonSchema): Coerce {
  const root = rootOf(schema)
  const mayBeList = (field: string) =>
    fieldNodes(schema, field, root).some(node => {
      const { lists, anything } = new Kinds(node, root)
      return anything || lists.length > 0
    })
  return query => {
    if (!hasEmptyList(query)) return query
    const named = Object.keys(query).filter(name => isEmptyList(name, query))
    const result = { ...query }
    for (const name of named) {
      const field = name.slice(0, -EMPTY_LIST.length)
      if (Object.hasOwn(query, field) || !mayBeList(field)) continue
      delete result[name]
      result[field] = []
    }
    return result
  }
}

const isEmptyList = (name: string, query: Fields) => query[name] === '' && name.endsWith(EMPTY_LIST)

function hasEmptyList(query: Fields): boolean {
  for (const name in query) if (isEmptyList(name, query)) return true
  return false
}

function coerceOf(schema: JsonSchema, root: Scope): Coerce {
  const node = root.resolve(schema)
  const own = coerceNamed(node, root)
  const branches = branchesOf(node)
    .map(root.resolve)
    .filter(branch => isNode(branch.properties) || branch.allOf)
  if (branches.length === 0) return own
  const alone = !isNode(node.properties)
  const options = branches.map(branch => {
    const fill = compileDefaults(branch, root.matcher) ?? (value => value)
    const accepts = root.matcher(withDefinitions(alone ? closeSchema(branch) : branch, root, branch))
    return { coerce: coerceOf(branch, root), accepts: (value: unknown) => accepts(fill(value)) }
  })
  return input => {
    const begun = own(input)
    return firstAccepted(
      options.map(({ coerce, accepts }) => ({ value: coerce(begun), accepts })),
      begun,
    )
  }
}

interface Option<T> {
  readonly value: T
  readonly accepts: (value: T) => boolean
}

function firstAccepted<T>(tried: readonly Option<T>[], otherwise: T): T {
  return (tried.find(({ value, accepts }) => accepts(value)) ?? tried[0])?.value ?? otherwise
}

/** Properties by name, by pattern, and all others. */
function coerceNamed(node: JsonSchema, root: Scope): Coerce {
  const named = spellingsOf(propertiesOf(node, root), root)
  const patterns = spellingsOf(node.patternProperties, root).map(
    ([pattern, spelling]) => [new RegExp(pattern, 'u'), spelling] as const,
  )
  const others = isNode(node.additionalProperties) ? compileSpelling(node.additionalProperties, root) : undefined
  const names = new Set(named.map(([name]) => name))
  const open = patterns.length > 0 || others !== undefined
  if (named.length === 0 && !open) return input => input
  return input => {
    const result: Record<string, unknown> = { ...input }
    for (const [name, spelling] of named)
      if (Object.hasOwn(result, name) && result[name] !== undefined) result[name] = spelling(result[name])
    if (!open) return result
    for (const [name, value] of Object.entries(input)) {
      const spelling = names.has(name) ? undefined : (patterns.find(([pattern]) => pattern.test(name))?.[1] ?? others)
      if (spelling) assign(result, name, spelling(value))
    }
    return result
  }
}

function spellingsOf(members: unknown, root: Scope): readonly (readonly [string, Spelling])[] {
  return isNode(members)
    ? Object.entries(members).map(([name, member]) => [name, compileSpelling(member as JsonSchema, root)] as const)
    : []
}

/** The fields of each schema that are compiled, or being compiled. */
const spellings = new WeakMap<Scope, Map<JsonSchema, Spelling>>()

/** Compiles the conversion of one field. */
function compileSpelling(given: JsonSchema, root: Scope): Spelling {
  const node = root.resolve(given)
  const known = spellings.get(root) ?? new Map<JsonSchema, Spelling>()
  spellings.set(root, known)
  const done = known.get(node)
  if (done) return done
  // A schema may contain itself: while it is being built, others get a reference to the finished result.
  let made: Spelling = value => value
  known.set(node, value => made(value))
  made = spellingOf(node, root)
  return made
}

function spellingOf(node: JsonSchema, root: Scope): Spelling {
  const kinds = new Kinds(node, root)
  const read = textOf(kinds, node, root)
  const list = kinds.lists.length > 0 ? listOf(kinds.lists, root) : undefined
  return value => {
    if (list && Array.isArray(value)) return list(value)
    if (typeof value !== 'string') return value
    const alone = read(value)
    if (alone !== undefined) return alone
    if (value === 'null' && kinds.takesNull) return null
    return list ? list([value]) : value
  }
}

/** Returns undefined if the text does not spell a value of a wanted type. */
function textOf(kinds: Kinds, node: JsonSchema, root: Scope): (text: string) => unknown {
  const { types, constants, freeText } = kinds
  const texts = new Set(constants.filter(constant => typeof constant === 'string'))
  const others = constants.filter(constant => typeof constant === 'number' || typeof constant === 'boolean')
  const alternatives = types.size > 1 || constants.length > 0
  if (freeText || (types.has('string') && !alternatives)) return text => text
  // Only a restricted text with alternatives needs a check.
  const accepts = types.has('string') ? root.matcher(withDefinitions(node, root)) : undefined
  const numbers = types.has('integer') || types.has('number')
  return text => {
    if (texts.has(text) || accepts?.(text)) return text
    const number = numberOf(text)
    const constant = others.find(each => each === number || String(each) === text)
    if (constant !== undefined) return constant
    if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
    return numbers ? number : undefined
  }
}

function listOf(lists: readonly JsonSchema[], root: Scope): (values: readonly unknown[]) => unknown {
  const options = lists.map(each => ({
    read: itemsSpelling(each, root),
    accepts: lists.length > 1 ? root.matcher(withDefinitions(each, root)) : () => true,
  }))
  return values =>
    firstAccepted<unknown>(
      options.map(({ read, accepts }) => ({ value: read(values), accepts })),
      values,
    )
}

function itemsSpelling(list: JsonSchema, root: Scope): (values: readonly unknown[]) => unknown {
  const { first, rest } = itemsOf(list)
  const places = first.map(each => compileSpelling(each as JsonSchema, root))
  const others = compileSpelling(root.resolve(rest), root)
  return values => values.map((value, index) => (places[index] ?? others)(value))
}
