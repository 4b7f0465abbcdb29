import { BSONRegExp } from 'bson'
import { type Doc, isDoc } from '../bson/document.ts'
import { isOperatorDoc } from '../query/match.ts'
import { parsePath, valueAt } from '../query/path.ts'
import { setAt } from './place.ts'

/** The document an upsert starts from: the equalities of its filter. `onlyId` for a replacement. */
export function upsertSeed(filter: Doc, onlyId: boolean): Doc {
  const seed: Doc = {}
  for (const [key, value] of equalities(filter)) {
    if (onlyId && key !== '_id') continue
    const path = parsePath(key)
    if (valueAt(seed, path) === undefined) setAt(seed, path, value)
  }
  return seed
}

function equalities(filter: Doc): [string, unknown][] {
  return Object.entries(filter).flatMap(([key, value]): [string, unknown][] => {
    if (key === '$and' && Array.isArray(value)) return value.filter(isDoc).flatMap(equalities)
    if (key === '$or' && Array.isArray(value) && value.length === 1) return value.filter(isDoc).flatMap(equalities)
    if (key.startsWith('$') || value instanceof BSONRegExp) return []
    if (!isOperatorDoc(value)) return [[key, value]]
    if ('$eq' in value) return [[key, value.$eq]]
    for (const name of ['$in', '$all']) {
      const list = value[name]
      if (Array.isArray(list) && list.length === 1 && !(list[0] instanceof BSONRegExp) && !isOperatorDoc(list[0]))
        return [[key, list[0]]]
    }
    return []
  })
}
