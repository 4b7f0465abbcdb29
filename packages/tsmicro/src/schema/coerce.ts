import { acceptsOf } from './accepts.ts'
import { closeSchema } from './close.ts'
import { compileDefaults } from './defaults.ts'
import { branchesOf, propertiesOf, type Root, rootOf } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'
import { compileSpelling, type Spelling } from './spelling.ts'

type Fields = Record<string, unknown>
type Coerce = (input: Fields) => Fields

/**
 * Prepares the conversion of path and query strings to what an object schema asks for: a text stands for the value that
 * it spells. Worked out once, at start. What does not look like the wanted type is left as it is for the validator to refuse.
 */
export function compileCoercion(schema: JsonSchema): Coerce {
  return coerceOf(schema, rootOf(schema))
}

function coerceOf(schema: JsonSchema, root: Root): Coerce {
  const node = root.resolve(schema)
  const own = coerceNamed(node, root)
  const branches = branchesOf(node)
    .map(root.resolve)
    .filter(branch => isNode(branch.properties) || branch.allOf)
  if (branches.length === 0) return own
  const alone = !isNode(node.properties)
  const options = branches.map(branch => {
    const fill = compileDefaults(branch, acceptsOf) ?? (value => value)
    const accepts = acceptsOf(alone ? closeSchema(branch) : branch, root)
    return { coerce: coerceOf(branch, root), accepts: (value: unknown) => accepts(fill(value)) }
  })
  return input => {
    const begun = own(input)
    const tried = options.map(({ coerce, accepts }) => ({ value: coerce(begun), accepts }))
    return (tried.find(({ value, accepts }) => accepts(value)) ?? tried[0])?.value ?? begun
  }
}

/** Properties by their names, by patterns, and all others. */
function coerceNamed(node: JsonSchema, root: Root): Coerce {
  const named = spellingsOf(propertiesOf(node, root), root)
  const patterns = spellingsOf(node.patternProperties, root).map(
    ([pattern, spelling]) => [new RegExp(pattern, 'u'), spelling] as const,
  )
  const others = isNode(node.additionalProperties) ? compileSpelling(node.additionalProperties, root) : undefined
  const names = new Set(named.map(([name]) => name))
  const open = patterns.length > 0 || others !== undefined
  if (named.length === 0 && !open) return input => input
  return input => {
    const result = { ...input }
    for (const [name, spelling] of named)
      if (Object.hasOwn(result, name) && result[name] !== undefined) result[name] = spelling(result[name])
    if (!open) return result
    for (const [name, value] of Object.entries(input)) {
      const spelling = names.has(name) ? undefined : (patterns.find(([pattern]) => pattern.test(name))?.[1] ?? others)
      if (spelling)
        Object.defineProperty(result, name, {
          value: spelling(value),
          enumerable: true,
          configurable: true,
          writable: true,
        })
    }
    return result
  }
}

function spellingsOf(members: unknown, root: Root): readonly (readonly [string, Spelling])[] {
  return isNode(members)
    ? Object.entries(members).map(([name, member]) => [name, compileSpelling(member as JsonSchema, root)] as const)
    : []
}
