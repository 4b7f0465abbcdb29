import { checkEvent } from '#refusals'
import type { Infer, InferInput, Schema } from '../schema/index.ts'
import type { EventSpec } from './spec.ts'

/** Reads an older version of an event's data. */
interface Upcast {
  /** Schema of that version. */
  readonly data: Schema
  /** Turns data of that version into data of the next. */
  readonly to: (data: never) => unknown
}

/** Older versions by number. Each leads to the next, and the last one to the event's data. */
type Upcasts<Older, Version, Data> = {
  readonly [V in keyof Older]: {
    readonly data: Older[V]
    readonly to: (data: Infer<Older[V]>) => DataOf<Successor<V>, Older, Version, Data>
  }
}

/** What data of a version has to be; never if the version is unknown. The compiler takes the keys for texts. */
type DataOf<V extends number, Older, Version, Data> = `${V}` extends keyof Older
  ? InferInput<Older[`${V}`]>
  : V extends keyof Older
    ? InferInput<Older[V]>
    : V extends Version
      ? InferInput<Data>
      : never

type Successor<V, Counted extends readonly unknown[] = []> = `${Counted['length']}` extends `${V & (string | number)}`
  ? [...Counted, unknown]['length'] & number
  : Counted['length'] extends 100
    ? never
    : Successor<V, [...Counted, unknown]>

/**
 * A checked {@link EventSpec}, with its version filled in.
 *
 * @example
 * const { subject, version }: EventDefinition = userCreated
 */
export type EventDefinition<S extends EventSpec = EventSpec> = S & {
  readonly kind: 'event'
  readonly version: number
  readonly upcast?: Readonly<Record<number, Upcast>>
}

/** The fields that always have a text, a number or the like, which can stand in a header. */
type Identifying<Data> = {
  readonly [K in keyof Data]-?: Data[K] extends string | number | boolean ? K : never
}[keyof Data] &
  string

/**
 * Declares an event. Consumers read older versions, which are still stored or on their way, through `upcast`.
 *
 * @example
 * const userCreated = event({ subject: 'user.created', data: UserCreated, aggregate: 'userId' })
 * const userRenamed = event({
 *   subject: 'user.renamed', aggregate: 'userId', version: 2,
 *   data: Type.Object({ userId: Type.String(), names: Type.Array(Type.String()) }),
 *   upcast: {
 *     1: {
 *       data: Type.Object({ userId: Type.String(), name: Type.String() }),
 *       to: ({ userId, name }) => ({ userId, names: [name] }),
 *     },
 *   },
 * })
 * @throws {TypeError} when the subject has wildcards or is reserved, the aggregate is not a required text or number of its data, or a field
 * is declared as something that JSON cannot carry
 */
export function event<
  const S extends EventSpec,
  Data extends Schema,
  const Version extends number = 1,
  const Older extends Readonly<Record<number, Schema>> = Record<never, never>,
>(
  spec: S & {
    readonly data: Data
    readonly version?: Version
    readonly aggregate: Identifying<Infer<Data>>
    // The others are parameters of their own because S is not known yet when the functions in here get their types.
    readonly upcast?: Upcasts<Older, Version, Data>
  },
): EventDefinition<S> {
  checkEvent(spec)
  return Object.freeze({ ...spec, kind: 'event' as const, version: spec.version ?? 1 }) as EventDefinition<S>
}
