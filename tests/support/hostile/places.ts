import type { BoundProcedure } from 'tsmicro/contract'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import type { Input } from '../inputs.ts'

type PartName = 'params' | 'query' | 'body'

/** A field of a procedure's request that holds text or a number, and the request with another value in it. */
export interface Place {
  readonly part: PartName
  readonly name: string
  readonly kind: 'text' | 'number'
  put(value: unknown): Input
  /** Whether the contract allows this value there. */
  takes(value: unknown): boolean
}

/** Every field of a valid request. */
export function placesOf(procedure: BoundProcedure, good: Input): readonly Place[] {
  const { properties = {} } = (procedure.input ?? {}) as { properties?: Record<string, TSchema> }
  return (['params', 'query', 'body'] as const).flatMap(part =>
    Object.keys(good[part] ?? {}).flatMap(name => {
      const schema = properties[name]
      return schema ? [placeOf(part, name, schema, good)] : []
    }),
  )
}

function placeOf(
  part: PartName,
  name: string,
  schema: TSchema & { items?: TSchema; type?: string },
  good: Input,
): Place {
  const list = schema.type === 'array'
  const kind = schema.type === 'integer' ? 'number' : 'text'
  // Text in a path or query is converted to the number that it spells.
  const meant = (value: unknown) =>
    kind === 'number' && part !== 'body' && typeof value === 'string' && String(Number(value)) === value
      ? Number(value)
      : value
  return {
    part,
    name,
    kind,
    put: value => ({ ...good, [part]: { ...good[part], [name]: list ? [value] : value } }),
    takes: value => Value.Check(list ? (schema.items ?? schema) : schema, meant(value)) && isClean(value),
  }
}

function isClean(value: unknown): boolean {
  return typeof value !== 'string' || (value.isWellFormed() && !value.includes('\0'))
}
