import type {
  Static,
  TArray,
  TIntersect,
  TObject,
  TOptional,
  TProperties,
  TRecord,
  TSchema,
  TTuple,
  TUnion,
} from 'typebox'

/** A JSON Schema made with TypeBox, or a schema of any library that implements Standard Schema (zod, valibot, arktype). */
export type Schema = TSchema | StandardSchema

/**
 * What a handler receives after validation.
 *
 * @example
 * const Page = Type.Object({ number: Type.Integer({ default: 1 }) })
 * const page: Infer<typeof Page> = { number: 1 }
 */
export type Infer<S> =
  S extends StandardSchema<unknown, infer Output> ? Output : S extends TSchema ? Static<S> : undefined

/**
 * What a caller passes before validation. Differs from {@link Infer} if a schema has defaults or transforms. TypeBox's types include a
 * default if it is given with `Type.With`.
 *
 * @example
 * const spelled: InferInput<typeof UserCreated> = { userId, email, name, role: 'LEARNER' }
 */
export type InferInput<S> =
  S extends StandardSchema<infer Input, unknown> ? Input : S extends TSchema ? Static<WithoutDefaults<S>> : undefined

/** A TypeBox schema in which fields with a default are optional, at any depth. */
type WithoutDefaults<S> =
  S extends TObject<infer Fields>
    ? Modified<S, TObject<FieldsWithoutDefaults<Fields>>>
    : S extends TArray<infer Item>
      ? Modified<S, TArray<WithoutDefaults<Item> & TSchema>>
      : S extends TUnion<infer Members>
        ? Modified<S, TUnion<MembersWithoutDefaults<Members>>>
        : S extends TIntersect<infer Members>
          ? Modified<S, TIntersect<MembersWithoutDefaults<Members>>>
          : S extends TRecord<infer Key, infer Value>
            ? Modified<S, TRecord<Key, WithoutDefaults<Value> & TSchema>>
            : S extends TTuple<infer Members>
              ? Modified<S, TTuple<MembersWithoutDefaults<Members>>>
              : S

type FieldsWithoutDefaults<Fields extends TProperties> = {
  [K in keyof Fields]: Fields[K] extends { readonly default: unknown }
    ? TOptional<WithoutDefaults<Fields[K]> & TSchema>
    : WithoutDefaults<Fields[K]> & TSchema
}
type MembersWithoutDefaults<Members extends TSchema[]> = {
  [K in keyof Members]: WithoutDefaults<Members[K]> & TSchema
}

/** Keeps `Type.Optional` and `Type.Readonly`. */
type Modified<S, Made> = Made &
  (S extends { '~optional': true } ? { '~optional': true } : unknown) &
  (S extends { '~readonly': true } ? { '~readonly': true } : unknown)

/** Plain JSON Schema 2020-12 as data. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** Whether a value is an object, as opposed to a list or null. */
export function isNode(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Sets a property, even one named `__proto__`. */
export function assign(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

/**
 * The part of Standard Schema 1.0 that we use, so that any library implementing it can be passed as a schema.
 * @see https://standardschema.dev
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    /** Standard JSON Schema: lets us describe the schema in OpenAPI. */
    readonly jsonSchema?: {
      readonly input: (options: {
        readonly target: string
        readonly libraryOptions?: Record<string, unknown>
      }) => Record<string, unknown>
    }
  }
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export function isStandardSchema(schema: object): schema is StandardSchema {
  return '~standard' in schema
}
