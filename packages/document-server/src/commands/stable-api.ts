import { isDoc } from '../bson/document.ts'
import { fail } from '../errors.ts'
import type { Options } from './command.ts'

/** The commands of this server that belong to version 1 of MongoDB's Stable API. */
const stable = new Set(
  (
    'aggregate count create createIndexes delete drop dropDatabase dropIndexes endSessions find findAndModify getMore hello ' +
    'insert killCursors listCollections listDatabases listIndexes ping saslContinue saslStart update'
  ).split(' '),
)
/** Their options that do not. */
const unstable: Readonly<Record<string, readonly string[]>> = {
  find: ['awaitData', 'max', 'min', 'noCursorTimeout', 'oplogReplay', 'returnKey', 'showRecordId', 'tailable'],
  create: ['autoIndexId', 'capped'],
}

/** @throws CommandError 322 for another version than 1; 323 for what is not part of it, with `apiStrict` */
export function assertStableApi(name: string, options: Options): void {
  const version = options.text('apiVersion')
  const isStrict = options.bool('apiStrict')
  if (version === undefined && (isStrict || options.bool('apiDeprecationErrors')))
    fail('Provided apiStrict and/or apiDeprecationErrors without passing apiVersion', 'Location4886600')
  if (version !== undefined && version !== '1') fail('API version must be "1"', 'APIVersionError')
  if (!isStrict) return
  if (!stable.has(name))
    fail(`Provided apiStrict:true, but the command ${name} is not in API Version 1`, 'APIStrictError')
  for (const option of unstable[name] ?? [])
    if (options.raw(option) !== undefined)
      fail(`BSON field '${name}.${option}' is not allowed with apiStrict:true.`, 'APIStrictError')
  if (name === 'createIndexes') for (const spec of options.docs('indexes') ?? []) assertStableIndex(spec)
}

function assertStableIndex(spec: Readonly<Record<string, unknown>>): void {
  const isText = isDoc(spec.key) && Object.values(spec.key).includes('text')
  if (isText || 'sparse' in spec || 'background' in spec)
    fail('text indexes, sparse and background are not allowed with apiStrict:true', 'APIStrictError')
}
