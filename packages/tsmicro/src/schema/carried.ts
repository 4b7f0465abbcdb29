import type { Schema } from './schema.ts'
import { isStandardSchema } from './standard.ts'
import { tellUndescribed } from './undescribed.ts'

/** What zod knows and JSON does not, and what to declare instead. */
const WAYS: Readonly<Record<string, string>> = {
  date: 'z.coerce.date(), or z.codec(z.iso.datetime(), z.date(), …)',
  bigint: 'z.coerce.bigint(), or a text',
  map: 'z.record(…)',
  set: 'z.array(…)',
  nan: 'z.number().nullable()',
  symbol: 'a text',
  function: 'nothing',
  promise: 'what it resolves to',
  custom: 'what it is in JSON, with .refine(…)',
  file: 'a text, or a raw route that takes uploads',
}

/** Schemas around one other, which say nothing of its type. */
const AROUND = ['optional', 'nullable', 'default', 'prefault', 'nonoptional', 'readonly', 'catch']

interface Zod {
  readonly _zod: { readonly def: Definition }
}

interface Definition {
  readonly type: string
  readonly coerce?: boolean
  readonly shape?: Readonly<Record<string, Zod>>
  readonly innerType?: Zod
  readonly element?: Zod
  readonly valueType?: Zod
}

/**
 * Tells of a field that can never be taken from JSON, e.g. of `z.date()`: what travels is a text. Alternatives, pipes and
 * what prepares its input may make one, and are not looked into.
 */
export function tellUncarried(schema: Schema): string | undefined {
  if (!isStandardSchema(schema)) return undefined
  if (schema['~standard'].vendor !== 'zod' || !('_zod' in schema)) return tellUndescribed(schema)
  return find(schema as unknown as Zod, '', new Set())
}

/** @param seen a schema may contain itself */
function find(schema: Zod, path: string, seen: Set<Zod>): string | undefined {
  if (seen.has(schema)) return undefined
  seen.add(schema)
  const { type, coerce, shape, innerType, element, valueType } = schema._zod.def
  const way = WAYS[type]
  if (way && !coerce) return `${path || 'it'} is z.${type}(), which JSON cannot carry: declare ${way}`
  const inner: [string, Zod | undefined][] = [
    ...(type === 'object' ? Object.entries(shape ?? {}) : []),
    ...(AROUND.includes(type) ? [['', innerType] as [string, Zod | undefined]] : []),
    ...(type === 'array' ? [['items', element] as [string, Zod | undefined]] : []),
    ...(type === 'record' ? [['values', valueType] as [string, Zod | undefined]] : []),
  ]
  for (const [name, each] of inner) {
    const found = each && find(each, [path, name].filter(part => part !== '').join('/'), seen)
    if (found) return found
  }
  return undefined
}
