import { checkSubject, findNotJson } from '#refusals'
import { describeSchema, type Infer, mayHaveField, type Schema } from '../schema/index.ts'

/** A fact that a service announces. */
export interface EventSpec {
  /** NATS subject, e.g. `user.created`: the thing, then what happened to it. */
  readonly subject: string
  /** Schema of the body: the data alone, without an envelope. */
  readonly data: Schema
  /** Version of the data's shape. Default 1. */
  readonly version?: number
  /** The field of the data that identifies the aggregate. Events are ordered per aggregate. */
  readonly aggregate: string
  readonly summary?: string
}

/**
 * A checked {@link EventSpec}, with its version filled in.
 *
 * @example
 * const { subject, version }: EventDefinition = userCreated
 */
export type EventDefinition<S extends EventSpec = EventSpec> = S & { readonly kind: 'event'; readonly version: number }

/**
 * Declares an event.
 *
 * @example
 * const userCreated = event({ subject: 'user.created', data: UserCreated, aggregate: 'userId' })
 * @throws {TypeError} when the subject has wildcards or is reserved, the aggregate is not a field, or a field is declared as something that
 * JSON cannot carry
 */
export function event<const S extends EventSpec>(
  spec: S & { readonly aggregate: keyof Infer<S['data']> & string },
): EventDefinition<S> {
  checkSubject(spec.subject)
  const why = findNotJson(spec.data)
  if (why) throw new TypeError(`event ${spec.subject}: ${why}`)
  // No compiler checks plain JavaScript.
  if (typeof spec.aggregate !== 'string' || !mayHaveField(describeSchema(spec.data), spec.aggregate))
    throw new TypeError(`event ${spec.subject}: aggregate must name a field of its data, not ${String(spec.aggregate)}`)
  return Object.freeze({ ...spec, kind: 'event' as const, version: spec.version ?? 1 })
}
