import { checkSubject, findNotJson } from '#refusals'
import { describeSchema, type Infer, type InferInput, mayHaveField, type Schema } from '../schema/index.ts'

/** A fact that a service announces. */
export interface EventSpec {
  /** NATS subject, e.g. `user.created`: the thing, then what happened to it. */
  readonly subject: string
  /** Schema of the body: the data alone, without an envelope. */
  readonly data: Schema
  /** Version of the data's shape. Default 1. A field is removed, or changes its type, only with a new version. */
  readonly version?: number
  /** The field of the data that identifies the aggregate. Events are ordered per aggregate. */
  readonly aggregate: string
  readonly summary?: string
}

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
 * @throws {TypeError} when the subject has wildcards or is reserved, the aggregate is not a field, or a field is declared as something that
 * JSON cannot carry
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
    readonly aggregate: keyof Infer<Data> & string
    // The others are parameters of their own because S is not known yet when the functions in here get their types.
    readonly upcast?: Upcasts<Older, Version, Data>
  },
): EventDefinition<S> {
  checkSubject(spec.subject)
  const why = findNotJson(spec.data)
  if (why) throw new TypeError(`event ${spec.subject}: ${why}`)
  // No compiler checks plain JavaScript.
  if (typeof spec.aggregate !== 'string' || !mayHaveField(describeSchema(spec.data), spec.aggregate))
    throw new TypeError(`event ${spec.subject}: aggregate must name a field of its data, not ${String(spec.aggregate)}`)
  return Object.freeze({ ...spec, kind: 'event' as const, version: spec.version ?? 1 }) as EventDefinition<S>
}
