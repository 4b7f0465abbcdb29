import { Int32 } from 'bson'
import { equalValues } from '../bson/compare.ts'
import type { Doc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { CommandError } from '../errors.ts'
import { compileFilter } from '../query/match.ts'
import { parsePath } from '../query/path.ts'
import type { Index } from '../storage/index-definition.ts'
import { isSimpleCollation, Options } from './options.ts'

const known = [
  'v',
  'key',
  'name',
  'unique',
  'sparse',
  'background',
  'partialFilterExpression',
  'expireAfterSeconds',
  'weights',
  'default_language',
  'language_override',
  'textIndexVersion',
  'collation',
  'hidden',
]

const cannot = (message: string): never => {
  throw new CommandError('CannotCreateIndex', message)
}

/** Checks the specification of an index and gives it the form `listIndexes` shows. @throws CommandError */
export function normalizeSpec(given: Doc): Doc {
  const options = new Options(given, 'createIndexes.indexes').allow(known)
  options.refuse('collation', isSimpleCollation).refuse('hidden', value => value === false)
  const key = options.doc('key') ?? cannot('the index specification has no key')
  const name = options.text('name') ?? cannot('the index specification has no name')
  if (name === '' || name === '*') cannot(`'${name}' is no name for an index`)
  assertKey(key)
  const spec: Doc = { v: new Int32(2), key, name }
  if (options.bool('unique')) spec.unique = true
  if (options.bool('sparse')) spec.sparse = true
  const partial = options.doc('partialFilterExpression')
  if (partial) {
    compileFilter(partial)
    if (spec.sparse) cannot("cannot mix 'partialFilterExpression' and 'sparse' options")
    spec.partialFilterExpression = partial
  }
  if (options.raw('expireAfterSeconds') !== undefined) spec.expireAfterSeconds = assertExpiry(options, key)
  if (Object.values(key).includes('text')) addTextFields(spec, key, options)
  else if (options.raw('weights') !== undefined) cannot('weights are for text indexes')
  return spec
}

function assertKey(key: Doc): void {
  const entries = Object.entries(key)
  if (entries.length === 0) cannot('Index keys cannot be an empty object')
  for (const [field, direction] of entries) {
    if (field !== '$**') parsePath(field)
    if (typeof direction === 'string' && direction !== 'text')
      cannot(`the index type '${direction}' is not supported by this server`)
    if (direction !== 'text' && (!isNumeric(direction) || toNumber(direction) === 0))
      cannot(`Values in the index key pattern must be a non-zero number or 'text': ${field}`)
    if (field.includes('$**') && direction !== 'text') cannot('wildcard indexes are not supported by this server')
    if (field.split('.').some(segment => segment.startsWith('$') && segment !== '$**'))
      cannot(`Index key contains an illegal field name: ${field}`)
  }
  const texts = entries.filter(([, direction]) => direction === 'text').length
  if (texts > 0 && texts < entries.length) cannot('text indexes with further keys are not supported by this server')
}

function assertExpiry(options: Options, key: Doc): Int32 {
  const seconds = options.number('expireAfterSeconds') ?? -1
  if (seconds < 0 || seconds > 2 ** 31 - 1) cannot('expireAfterSeconds must be within 0 and 2147483647')
  if (Object.keys(key).length !== 1 || '_id' in key)
    cannot('TTL indexes are single-field indexes on another field than _id')
  return new Int32(seconds)
}

function addTextFields(spec: Doc, key: Doc, options: Options): void {
  if (spec.unique) cannot('text indexes cannot be unique')
  const language = options.text('default_language') ?? 'english'
  if (language !== 'english' && language !== 'none')
    cannot(`the text search language '${language}' is not supported by this server: use 'english' or 'none'`)
  const given = options.doc('weights') ?? {}
  for (const [field, weight] of Object.entries(given)) {
    if (field !== '$**') parsePath(field)
    if (!isNumeric(weight) || !(toNumber(weight) > 0 && toNumber(weight) < 100_000))
      cannot(`the weight of '${field}' must be within 1 and 99999`)
  }
  const fields = [...new Set([...Object.keys(key), ...Object.keys(given)])].sort()
  // MongoDB shows every text index under this key; its fields are in the weights.
  spec.key = { _fts: 'text', _ftsx: new Int32(1) }
  spec.weights = Object.fromEntries(fields.map(field => [field, given[field] ?? new Int32(1)]))
  spec.default_language = language
  spec.language_override = options.text('language_override') ?? 'language'
  spec.textIndexVersion = new Int32(3)
}

export const sameKeyPattern = (a: unknown, b: unknown): boolean => equalValues(a, b)

/** Whether an index is the one specified already. @throws CommandError when it only shares its name or its key */
export function conflictWith(index: Index, spec: Doc): boolean {
  const sameName = index.name === spec.name
  const sameKey =
    sameKeyPattern(index.key, spec.key) && equalValues(index.spec.partialFilterExpression, spec.partialFilterExpression)
  if (!sameName && !sameKey) return false
  if (!sameKey)
    throw new CommandError(
      'IndexKeySpecsConflict',
      `An existing index has the same name as the requested index: ${index.name}`,
    )
  if (!sameName)
    throw new CommandError('IndexOptionsConflict', `Index already exists with a different name: ${index.name}`)
  if (!equalValues(index.spec, spec))
    throw new CommandError(
      'IndexOptionsConflict',
      `An equivalent index already exists with the same name but different options: ${index.name}`,
    )
  return true
}
