import { isNode, type JsonSchema } from './schema.ts'
import type { StandardSchema } from './standard.ts'

const MARK = 'x-uncarried'

/** What arktype knows and JSON does not, and what to declare instead. */
const WAYS: Readonly<Record<string, string>> = {
  Date: '"string.date.iso.parse"',
  bigint: 'a text',
  symbol: 'a text',
  Map: "{ '[string]': … }",
  Set: 'an array',
}

/**
 * Tells of a Standard Schema that does not say what travels: without that nobody could say which of its fields are named. zod's are looked into
 * by `tellUncarried`.
 */
export function tellUndescribed({ '~standard': { vendor, jsonSchema } }: StandardSchema): string | undefined {
  if (!jsonSchema) {
    const way =
      vendor === 'valibot'
        ? 'give toStandardJsonSchema(it), of @valibot/to-json-schema'
        : `take a version of ${vendor} whose schemas have ~standard.jsonSchema, e.g. zod 4.2`
    return `this schema of ${vendor} does not tell what it is in JSON: ${way}`
  }
  const options = {
    target: 'draft-2020-12',
    ...(vendor === 'arktype' ? { libraryOptions: { fallback: markUncarried } } : {}),
  }
  try {
    const found = markedIn(jsonSchema.input(options), '')
    if (!found) return undefined
    const way = WAYS[found.what]
    return `${found.path || 'it'} is ${found.what}, which JSON cannot carry${way ? `: declare ${way}` : ''}`
  } catch (error) {
    return vendor === 'zod' ? undefined : `${vendor} cannot tell what it is in JSON: ${(error as Error).message}`
  }
}

interface ArkContext {
  readonly code: string
  readonly base: JsonSchema
  readonly domain?: unknown
  readonly proto?: { readonly name?: string }
}

function markUncarried({ code, base, domain, proto }: ArkContext): JsonSchema {
  const what = code === 'date' ? 'Date' : (proto?.name ?? domain)
  return Object.keys(base).length === 0 && typeof what === 'string' ? { [MARK]: what } : base
}

function markedIn(node: unknown, path: string): { readonly path: string; readonly what: string } | undefined {
  if (Array.isArray(node)) return node.map(member => markedIn(member, path)).find(found => found !== undefined)
  if (!isNode(node)) return undefined
  if (typeof node[MARK] === 'string') return { path, what: node[MARK] }
  const { properties, ...others } = node
  const named = Object.entries(isNode(properties) ? properties : {}).map(([name, member]) =>
    markedIn(member, path === '' ? name : `${path}/${name}`),
  )
  return [...named, ...Object.values(others).map(member => markedIn(member, path))].find(found => found !== undefined)
}
