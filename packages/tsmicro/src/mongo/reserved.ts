import type { Collection, Document, FindOneAndUpdateOptions, FindOptions } from 'mongodb'

/** Where a document holds the events that wait to be sent, and the marks of those that it has been changed for. */
export const OUTBOX = '_outbox'
export const INBOX = '_inbox'

const NAMES = [OUTBOX, INBOX]
/** Of these stages, some have to be first; none makes a document of another form. */
const PASSING = new Set([
  '$match',
  '$sort',
  '$skip',
  '$limit',
  '$sample',
  '$geoNear',
  '$search',
  '$vectorSearch',
  '$collStats',
  '$indexStats',
])
const VARIABLES = /^\$(\$(ROOT|CURRENT)\.)?/

/** A projection of everything else. */
export const SHOWN = { [OUTBOX]: 0, [INBOX]: 0 } as const

/** @throws {TypeError} for the path of a reserved field */
export function assertUnreserved(path: string): void {
  const [name = ''] = path.split('.', 1)
  if (NAMES.includes(name)) throw new TypeError(`the field ${name} is reserved for events`)
}

/** @throws {TypeError} for a filter that names a reserved field */
export function assertOpenFilter(filter: Document): void {
  for (const [name, part] of Object.entries(filter)) {
    assertUnreserved(name)
    if (name === '$expr') assertOpenExpression(part)
    else if (name.startsWith('$') && Array.isArray(part)) for (const each of part) assertOpenFilter(each)
  }
}

/** @throws {TypeError} for an update that names a reserved field */
export function assertOpenUpdate(update: Document | readonly Document[]): void {
  if (!Array.isArray(update)) {
    for (const [operator, fields] of Object.entries(update)) {
      for (const [path, value] of Object.entries<unknown>(fields ?? {})) {
        assertUnreserved(path)
        if (operator === '$rename') assertUnreserved(String(value))
      }
    }
    return
  }
  for (const argument of update.flatMap(stage => Object.values<unknown>(stage))) {
    for (const name of [argument].flat()) if (typeof name === 'string') assertUnreserved(name)
    if (isObject(argument)) for (const path of Object.keys(argument)) assertUnreserved(path)
    assertOpenExpression(argument)
  }
}

function assertOpenExpression(expression: unknown): void {
  if (typeof expression === 'string' && expression.startsWith('$')) assertUnreserved(expression.replace(VARIABLES, ''))
  if (Array.isArray(expression)) for (const part of expression) assertOpenExpression(part)
  else if (isObject(expression))
    for (const [name, part] of Object.entries(expression)) if (name !== '$literal') assertOpenExpression(part)
}

/** The same update, but if it makes a new document, that keeps the reserved fields. */
export function keeping(update: readonly Document[]): Document[] {
  const kept = Object.fromEntries(NAMES.map(name => [name, `$${name}`]))
  return update.map(stage => {
    const { $replaceWith = stage.$replaceRoot?.newRoot, $project } = stage
    if ($replaceWith !== undefined) return { $replaceWith: { $mergeObjects: [$replaceWith, kept] } }
    return $project && isInclusive($project) ? { $project: { ...$project, [OUTBOX]: 1, [INBOX]: 1 } } : stage
  })
}

/** The same pipeline without the reserved fields, also of joined documents. */
export function hiding(pipeline: readonly Document[]): Document[] {
  const found = pipeline.findIndex(stage => !Object.keys(stage).every(name => PASSING.has(name)))
  const passing = pipeline.slice(0, found < 0 ? undefined : found)
  for (const { $match = {}, $sort = {} } of passing) {
    assertOpenFilter($match)
    for (const path of Object.keys($sort)) assertUnreserved(path)
  }
  return [...passing, { $unset: NAMES }, ...pipeline.slice(passing.length).flatMap(hidingJoined)]
}

function hidingJoined(stage: Document): Document | Document[] {
  const { $lookup, $graphLookup, $unionWith, $facet } = stage
  if ($lookup) return { $lookup: { ...$lookup, pipeline: hiding($lookup.pipeline ?? []) } }
  if ($graphLookup) return [stage, { $unset: NAMES.map(name => `${$graphLookup.as}.${name}`) }]
  if ($unionWith) {
    const joined = typeof $unionWith === 'string' ? { coll: $unionWith } : $unionWith
    return { $unionWith: { ...joined, pipeline: hiding(joined.pipeline ?? []) } }
  }
  if (!$facet) return stage
  const facets = Object.entries<Document[]>($facet).map(([name, stages]) => [name, stages.flatMap(hidingJoined)])
  return { $facet: Object.fromEntries(facets) }
}

/**
 * The driver's collection, but reads do not show the reserved fields. With `guarded`, what would take events away from a document without
 * sending them is refused.
 */
export function hidingCollection<Doc extends Document>(collection: Collection<Doc>, guarded: boolean): Collection<Doc> {
  const reads: Record<string, (...given: never[]) => unknown> = {
    find: (filter: object = {}, options?: FindOptions) =>
      // A cursor can be given another projection later.
      collection.find(filter, shown(options)).map(document => withoutReserved(document)),
    findOne: (filter: object = {}, options?: FindOptions) => collection.findOne(filter, shown(options)),
    findOneAndUpdate: (filter: object, update: object, options: FindOneAndUpdateOptions = {}) =>
      collection.findOneAndUpdate(filter, update, shown(options)),
    aggregate: (pipeline: Document[] = [], options?: object) => collection.aggregate(hiding(pipeline), options),
    ...(guarded ? guards(collection as never) : {}),
  }
  return new Proxy(collection, {
    get(target, name) {
      const value = (typeof name === 'string' && Object.hasOwn(reads, name) && reads[name]) || Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const REMOVING = ['replaceOne', 'findOneAndReplace', 'deleteOne', 'deleteMany', 'findOneAndDelete']

function guards(collection: Collection): Record<string, (...given: never[]) => unknown> {
  const refuse = (name: string) => {
    throw new TypeError(`${name} would lose events of ${collection.collectionName}: use an update`)
  }
  const refused = REMOVING.map(name => [name, () => refuse(name)] as const)
  const bulkWrite = async (operations: readonly object[], options?: object) => {
    for (const name of operations.flatMap(Object.keys)) if (REMOVING.includes(name)) refuse(name)
    return collection.bulkWrite(operations as never, options)
  }
  return { ...Object.fromEntries(refused), bulkWrite }
}

function shown<Options extends { readonly projection?: Document }>(
  options?: Options,
): Options & { projection: Document } {
  const { projection = {} } = options ?? {}
  return { ...options, projection: isInclusive(projection) ? projection : { ...projection, ...SHOWN } } as never
}

function withoutReserved<T>(document: T): T {
  if (isObject(document)) for (const name of NAMES) delete document[name]
  return document
}

/** Whether a projection names what it shows, not what it hides. */
function isInclusive({ _id, ...projection }: Document): boolean {
  const values = Object.values<unknown>(projection).filter(
    value => !isObject(value) || !('$slice' in value || '$meta' in value),
  )
  return (values.length > 0 ? values : [_id ?? 0]).some(value => value !== 0 && value !== false)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
