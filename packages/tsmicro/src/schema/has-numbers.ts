import { describeSchema } from './describe.ts'
import { branchesOf, itemsOf, type Root, rootOf } from './references.ts'
import { isNode, type JsonSchema, type Schema } from './schema.ts'

const WITHOUT_NUMBERS: readonly unknown[] = ['string', 'boolean', 'null']

/**
 * Whether values of a schema may have numbers in them. Worked out once, at start: of the others' JSON texts nobody has to
 * look for numbers that would be rounded. In doubt they may.
 */
export function mayHaveNumbers(schema: Schema): boolean {
  const described = describeSchema(schema)
  return !isWithout(described, rootOf(described), new Set())
}

/** @param seen nodes that are being looked at: a schema may contain itself */
function isWithout(given: unknown, root: Root, seen: Set<JsonSchema>): boolean {
  if (given === false) return true
  const node = root.resolve(given)
  if (seen.has(node)) return true
  seen.add(node)
  const without = (inner: unknown) => isWithout(inner, root, seen)
  const parts = [...branchesOf(node), ...(Array.isArray(node.allOf) ? node.allOf : [])]
  if (!parts.every(without)) return false
  if ('const' in node) return isConstantWithout(node.const)
  if (Array.isArray(node.enum)) return node.enum.every(isConstantWithout)
  if (node.type === undefined) return parts.length > 0 && !isNode(node.properties)
  return [node.type].flat().every(type => {
    if (type === 'object') return membersOf(node).every(without)
    if (type === 'array') return itemsOfAll(node).every(without)
    return WITHOUT_NUMBERS.includes(type)
  })
}

function isConstantWithout(constant: unknown): boolean {
  return ['string', 'boolean'].includes(typeof constant) || constant === null
}

/** Fields that are not named are refused or dropped, unless the schema says what they are. */
function membersOf({ properties, patternProperties, additionalProperties = false }: JsonSchema): readonly unknown[] {
  const named = [properties, patternProperties].filter(isNode).flatMap(members => Object.values(members))
  return [...named, additionalProperties]
}

function itemsOfAll(node: JsonSchema): readonly unknown[] {
  const { first, rest } = itemsOf(node)
  return first.length === 0 ? [rest] : [...first, rest ?? false]
}
