import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import Type, { type TSchema } from 'typebox'
import * as v from 'valibot'
import { z } from 'zod'
import type { Schema } from '../../src/schema/index.ts'
import { type Fields, LETTERS, PRICE, type Shape } from './shape.ts'

/** The schema of a shape in each library's words. */
export const LIBRARIES = { typebox: typeboxOf, zod: zodOf, valibot: valibotOf, arktype: arktypeOf } as const
export type Library = keyof typeof LIBRARIES

/** As the data of an event, which has to be an object with a name. */
export function eventDataOf(library: Library, shape: Shape): Schema {
  const fields = [
    { name: 'id', of: { kind: 'text' }, optional: false },
    { name: 'it', of: shape, optional: false },
  ] as const
  return LIBRARIES[library]({ kind: 'fields', fields })
}

const present = <T extends object>(options: T) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

function typeboxOf(shape: Shape): TSchema {
  switch (shape.kind) {
    case 'text':
      return Type.String(
        present({ minLength: shape.min, maxLength: shape.max, pattern: shape.letters ? LETTERS : undefined }),
      )
    case 'whole':
      return Type.Integer(present({ minimum: shape.min, maximum: shape.max }))
    case 'number':
      return Type.Number(present({ minimum: shape.min, maximum: shape.max }))
    case 'flag':
      return Type.Boolean()
    case 'none':
      return Type.Null()
    case 'anything':
      return Type.Unknown()
    case 'constants':
      return Type.Enum([...shape.values] as string[])
    case 'list':
      return Type.Array(typeboxOf(shape.of), present({ minItems: shape.min, maxItems: shape.max }))
    case 'tuple':
      if (!shape.rest) return Type.Tuple(shape.of.map(typeboxOf))
      return Type.Unsafe({
        type: 'array',
        prefixItems: shape.of.map(typeboxOf),
        minItems: shape.of.length,
        items: typeboxOf(shape.rest),
      })
    case 'fields':
      return Type.Object(
        Object.fromEntries(
          shape.fields.map(({ name, of, optional, initial }) => {
            const member = initial === undefined ? typeboxOf(of) : Type.Unsafe({ ...typeboxOf(of), default: initial })
            return [name, optional ? Type.Optional(member) : member]
          }),
        ),
      )
    case 'record':
      return Type.Record(Type.String(), typeboxOf(shape.of))
    case 'either':
      return Type.Union(shape.of.map(typeboxOf))
    case 'all':
      return Type.Unsafe({ allOf: shape.of.map(typeboxOf) })
    case 'tree':
      return Type.Cyclic({ Tree: Type.Object({ n: Type.Integer(), kids: Type.Array(Type.Ref('Tree')) }) }, 'Tree')
    case 'price':
      return Type.String({ pattern: PRICE })
    case 'time':
      return Type.String({ format: 'date-time' })
  }
}

interface Tree {
  n: number
  kids: Tree[]
}
/** zod's int() ends where numbers are no longer exact; the oracle's integers do not. */
const zodWhole = z.number().multipleOf(1)
const zodTree: z.ZodType<Tree, Tree> = z.object({ n: zodWhole, kids: z.array(z.lazy(() => zodTree)) })

function zodOf(shape: Shape): z.ZodType {
  switch (shape.kind) {
    case 'text': {
      let made = z.string()
      if (shape.min !== undefined) made = made.min(shape.min)
      if (shape.max !== undefined) made = made.max(shape.max)
      return shape.letters ? made.regex(new RegExp(LETTERS)) : made
    }
    case 'whole':
    case 'number': {
      let made = shape.kind === 'number' ? z.number() : shape.max === undefined ? zodWhole : z.number().int()
      if (shape.min !== undefined) made = made.min(shape.min)
      return shape.max === undefined ? made : made.max(shape.max)
    }
    case 'flag':
      return z.boolean()
    case 'none':
      return z.null()
    case 'anything':
      return z.unknown()
    case 'constants':
      return z.literal([...shape.values])
    case 'list': {
      let made = z.array(zodOf(shape.of))
      if (shape.min !== undefined) made = made.min(shape.min)
      return shape.max === undefined ? made : made.max(shape.max)
    }
    case 'tuple': {
      const of = shape.of.map(zodOf) as [z.ZodType, ...z.ZodType[]]
      return shape.rest ? z.tuple(of, zodOf(shape.rest)) : z.tuple(of)
    }
    case 'fields':
      return zodObject(shape)
    case 'record':
      return z.record(z.string(), zodOf(shape.of))
    case 'either':
      return z.union(shape.of.map(zodOf))
    case 'all':
      return shape.of.map(zodObject).reduce((made, each) => z.intersection(made, each))
    case 'tree':
      return zodTree
    case 'price':
      return z.string().regex(new RegExp(PRICE)).transform(Number)
    case 'time':
      return z.codec(z.iso.datetime(), z.date(), { decode: text => new Date(text), encode: date => date.toISOString() })
  }
}

function zodObject({ fields }: Fields): z.ZodType {
  const members = fields.map(({ name, of, optional, initial }) => {
    const member = zodOf(of)
    if (initial !== undefined) return [name, member.default(initial as never)] as const
    return [name, optional ? member.optional() : member] as const
  })
  return z.object(Object.fromEntries(members))
}

type Valibot = v.GenericSchema
const valibotTree: v.GenericSchema<Tree> = v.object({
  n: v.pipe(v.number(), v.integer()),
  kids: v.array(v.lazy(() => valibotTree)),
})

function valibotOf(shape: Shape): Schema {
  return toStandardJsonSchema(valibotNode(shape)) as unknown as Schema
}

function valibotNode(shape: Shape): Valibot {
  const piped = (schema: Valibot, ...actions: unknown[]) =>
    actions
      .filter(action => action !== undefined)
      .reduce<Valibot>((made, action) => v.pipe(made, action as never), schema)
  switch (shape.kind) {
    case 'text':
      return piped(
        v.string(),
        shape.min === undefined ? undefined : v.minLength(shape.min),
        shape.max === undefined ? undefined : v.maxLength(shape.max),
        shape.letters ? v.regex(new RegExp(LETTERS)) : undefined,
      )
    case 'whole':
    case 'number':
      return piped(
        v.number(),
        shape.kind === 'whole' ? v.integer() : undefined,
        shape.min === undefined ? undefined : v.minValue(shape.min),
        shape.max === undefined ? undefined : v.maxValue(shape.max),
      )
    case 'flag':
      return v.boolean()
    case 'none':
      return v.null()
    case 'anything':
      return v.unknown()
    case 'constants':
      return v.union(shape.values.map(value => (value === null ? v.null() : v.literal(value))))
    case 'list':
      return piped(
        v.array(valibotNode(shape.of)),
        shape.min === undefined ? undefined : v.minLength(shape.min),
        shape.max === undefined ? undefined : v.maxLength(shape.max),
      )
    case 'tuple': {
      const of = shape.of.map(valibotNode) as [Valibot, ...Valibot[]]
      return shape.rest ? v.tupleWithRest(of, valibotNode(shape.rest)) : v.strictTuple(of)
    }
    case 'fields':
      return valibotObject(shape)
    case 'record':
      return v.record(v.string(), valibotNode(shape.of))
    case 'either':
      return v.union(shape.of.map(valibotNode))
    case 'all':
      return v.intersect(shape.of.map(valibotObject))
    case 'tree':
      return valibotTree
    case 'price':
      return v.pipe(v.string(), v.regex(new RegExp(PRICE)), v.transform(Number))
    case 'time':
      return v.pipe(
        v.string(),
        v.isoTimestamp(),
        v.transform(text => new Date(text)),
      )
  }
}

function valibotObject({ fields }: Fields): Valibot {
  const members = fields.map(({ name, of, optional, initial }) => {
    const member = valibotNode(of)
    if (initial !== undefined) return [name, v.optional(member, initial as never)] as const
    return [name, optional ? v.optional(member) : member] as const
  })
  return v.object(Object.fromEntries(members))
}

interface Ark {
  array(): Ark
  or(other: Ark): Ark
  and(other: Ark): Ark
}
const ark = (definition: unknown): Ark => type(definition as 'string') as unknown as Ark

function arktypeOf(shape: Shape): Schema {
  return arkOf(shape) as unknown as Schema
}

function arkOf(shape: Shape): Ark {
  switch (shape.kind) {
    case 'text': {
      const bounded = range('string', shape)
      return shape.letters ? ark(`${bounded} & /${LETTERS}/`) : ark(bounded)
    }
    case 'whole':
      return ark(range('number.integer', shape))
    case 'number':
      return ark(range('number', shape))
    case 'flag':
      return ark('boolean')
    case 'none':
      return ark('null')
    case 'anything':
      return ark('unknown')
    case 'constants':
      return ark(['===', ...shape.values])
    case 'list': {
      const { min, max, of } = shape
      return bounded(arkOf(of).array(), min, max)
    }
    case 'tuple':
      return ark([...shape.of.map(arkOf), ...(shape.rest ? ['...', arkOf(shape.rest).array()] : [])])
    case 'fields':
      return ark(
        Object.fromEntries(
          shape.fields.map(({ name, of, optional, initial }) => {
            if (initial !== undefined) return [name, [arkOf(of), '=', initial]]
            return [optional ? `${name}?` : name, arkOf(of)]
          }),
        ),
      )
    case 'record':
      return ark({ '[string]': arkOf(shape.of) })
    case 'either':
      return shape.of.map(arkOf).reduce((made, each) => made.or(each))
    case 'all':
      return shape.of.map(arkOf).reduce((made, each) => made.and(each))
    case 'tree':
      return treeOfArk
    case 'price':
      return (type(`/${PRICE}/` as 'string') as unknown as { pipe(make: unknown): Ark }).pipe(Number)
    case 'time':
      return ark('string.date.iso.parse')
  }
}

const treeOfArk = type.module({ tree: { n: 'number.integer', kids: 'tree[]' } }).tree as unknown as Ark

function range(of: string, { min, max }: { readonly min?: number; readonly max?: number }): string {
  if (min !== undefined && max !== undefined) return `${min} <= ${of} <= ${max}`
  if (min !== undefined) return `${of} >= ${min}`
  return max === undefined ? of : `${of} <= ${max}`
}

function bounded(list: Ark, min: number | undefined, max: number | undefined): Ark {
  const { atLeastLength, atMostLength } = list as unknown as Record<string, (n: number) => Ark>
  let made = list
  if (min !== undefined && atLeastLength) made = atLeastLength.call(made, min)
  if (max !== undefined && atMostLength) made = atMostLength.call(made, max)
  return made
}
