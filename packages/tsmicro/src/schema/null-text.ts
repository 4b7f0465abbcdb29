import { Kinds } from './kinds.ts'
import { branchesOf, itemsOf, propertiesOf, type Root, rootOf } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'

/** Formats that the text `null` does not have. It may have one that is not known here. */
const NEVER_NULL: readonly unknown[] = [
  ...['date-time', 'date', 'time', 'duration', 'email', 'idn-email', 'ipv4', 'ipv6', 'uri', 'iri', 'url', 'uuid'],
  ...['json-pointer', 'relative-json-pointer'],
]

/**
 * Whether the text `null` is read as null where a field of this schema comes in a query, as {@link compileCoercion} does at the other
 * end. By the schema alone, without TypeBox's compiler; when in doubt, it is not.
 */
export function readsNull(schema: JsonSchema, field: string): boolean {
  const root = rootOf(schema)
  const found = nodesOf(schema, field, root, 0)
  return found.length > 0 && found.every(node => isNullFor(node, root))
}

/** What a schema says of a field, in each of its alternatives. */
function nodesOf(schema: JsonSchema, field: string, root: Root, depth: number): readonly JsonSchema[] {
  const node = root.resolve(schema)
  const named = propertiesOf(node, root)
  const inBranches = depth < 20 ? branchesOf(node).flatMap(branch => nodesOf(branch, field, root, depth + 1)) : []
  if (Object.hasOwn(named, field)) return [named[field] as JsonSchema, ...inBranches]
  const pattern = Object.entries(isNode(node.patternProperties) ? node.patternProperties : {}).find(([each]) =>
    new RegExp(each, 'u').test(field),
  )
  const other = pattern?.[1] ?? node.additionalProperties
  return isNode(other) ? [other, ...inBranches] : inBranches
}

function isNullFor(node: JsonSchema, root: Root): boolean {
  const kinds = new Kinds(node, root)
  if (kinds.freeText || kinds.constants.includes('null') || kinds.boundTexts.some(takesNullText)) return false
  if (kinds.types.has('null') || kinds.constants.includes(null)) return true
  const items = kinds.lists.flatMap(list => {
    const { first, rest } = itemsOf(list)
    return [...first, rest].filter(isNode)
  })
  return items.length > 0 && items.every(item => isNullFor(item, root))
}

function takesNullText({ pattern, format, minLength, maxLength }: JsonSchema): boolean {
  const { length } = 'null'
  if (typeof minLength === 'number' && length < minLength) return false
  if (typeof maxLength === 'number' && length > maxLength) return false
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test('null')) return false
  return !NEVER_NULL.includes(format)
}
