import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ValidationDetail } from '../errors/index.ts'
import { acceptsOf } from './accepts.ts'
import { describeTaken } from './describe.ts'
import { MAX_DETAILS } from './problems.ts'
import { compilePrune, type Prune } from './prune.ts'
import { isNode, type JsonSchema } from './schema.ts'
import type { StandardSchema } from './standard.ts'
import { compileTelling } from './tell.ts'

type Problems = readonly ValidationDetail[]

/** What a Standard Schema's description adds to its own check of what travels. */
export interface Wire {
  /** Drops the fields that are not named. `undefined` for a schema that cannot describe itself. */
  readonly prune: Prune | undefined
  /** What is wrong with a value by the description alone: a library may take more than it says, as valibot takes a list for `v.object({})`. */
  readonly problems: (value: unknown) => Problems
}

export function compileWire(schema: StandardSchema): Wire {
  const described = describeTaken(schema)
  if (Object.keys(described).length === 0) return { prune: undefined, problems: () => [] }
  const structure = structureOf(described) as JsonSchema
  const compiled = Compile(structure as TSchema)
  const tell = compileTelling(structure)
  return {
    prune: compilePrune(structure, acceptsOf),
    // No JSON Schema takes nothing at all, which the library has judged.
    problems: value => (value === undefined || compiled.Check(value) ? [] : tell(value)),
  }
}

/** Rules that libraries read in ways of their own: how long a text is, what a time or an e-mail address looks like. */
const OWN_RULES = ['format', 'pattern', 'minLength', 'maxLength', 'multipleOf', 'contentEncoding', 'default'] as const
/** What tests only, or holds values. */
const AS_IT_IS = ['not', 'if', 'contains', 'const', 'enum', 'examples'] as const

/** The description without the rules that the library itself checks. */
function structureOf(node: unknown, isMap = false): unknown {
  if (Array.isArray(node)) return node.map(member => structureOf(member))
  if (!isNode(node)) return node
  const rules: readonly string[] = isMap ? [] : OWN_RULES
  const kept: readonly string[] = isMap ? [] : AS_IT_IS
  const members = Object.entries(node)
    .filter(([name]) => !rules.includes(name))
    .map(([name, member]) => {
      if (kept.includes(name)) return [name, member]
      const inMap = !isMap && ['properties', 'patternProperties', '$defs', 'definitions'].includes(name)
      // Without those rules several of them may match.
      return [!isMap && name === 'oneOf' ? 'anyOf' : name, structureOf(member, inMap)]
    })
  return Object.fromEntries(members)
}

/** Tells of the fields that pruning took away. */
export function unnamedIn(value: unknown, pruned: unknown, path = ''): Problems {
  if (value === pruned || typeof value !== 'object' || value === null) return []
  if (typeof pruned !== 'object' || pruned === null) return []
  const kept = pruned as Record<string, unknown>
  const entries = Object.entries(value)
  const unknown = entries
    .filter(([name]) => !Object.hasOwn(kept, name))
    .map(([name]) => JSON.stringify(name.slice(0, 100)))
  const more = unknown.length > MAX_DETAILS ? ' and more' : ''
  const own =
    unknown.length === 0 ? [] : [{ path, message: `unknown field ${unknown.slice(0, MAX_DETAILS).join(', ')}${more}` }]
  const inner = entries.flatMap(([name, member]) =>
    unnamedIn(member, kept[name], path === '' ? name : `${path}/${name}`),
  )
  return [...own, ...inner].slice(0, MAX_DETAILS)
}
