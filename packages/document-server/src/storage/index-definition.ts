import { Int32 } from 'bson'
import { type Doc, isDoc } from '../bson/document.ts'
import { encodeKey } from '../bson/key.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { compileFilter, type Matcher } from '../query/match.ts'
import { type Path, parsePath } from '../query/path.ts'
import { compileTextIndex, type TextIndex } from '../text/text-index.ts'
import { keyTuples } from './index-keys.ts'

/** An index as it is used: its stored specification and what is compiled from it. */
export interface Index {
  readonly id: number
  readonly name: string
  /** As given to `createIndexes`, with the defaults filled in; what `listIndexes` answers. */
  readonly spec: Doc
  readonly key: Doc
  readonly fields: readonly { readonly name: string; readonly path: Path }[]
  readonly unique: boolean
  readonly sparse: boolean
  readonly partial: Matcher | undefined
  readonly text: TextIndex | undefined
  /** Seconds after the date in the (only) field, for a TTL index. */
  readonly expireAfterSeconds: number | undefined
}

export function toIndex(id: number, spec: Doc): Index {
  const key = isDoc(spec.key) ? spec.key : {}
  const isText = Object.values(key).includes('text')
  const expire = spec.expireAfterSeconds
  return {
    id,
    name: String(spec.name),
    spec,
    key,
    fields: isText ? [] : Object.keys(key).map(name => ({ name, path: parsePath(name) })),
    unique: spec.unique === true,
    sparse: spec.sparse === true,
    partial: isDoc(spec.partialFilterExpression) ? compileFilter(spec.partialFilterExpression) : undefined,
    text: isText ? compileTextIndex(spec) : undefined,
    expireAfterSeconds: isNumeric(expire) ? toNumber(expire) : undefined,
  }
}

/** The specification that `listIndexes` gives for the index every collection has. */
export const idIndexSpec = (): Doc => ({ v: new Int32(2), key: { _id: new Int32(1) }, name: '_id_' })

/** The entries of a document in an index, each once. */
export function indexEntries(index: Index, doc: Doc): Buffer[] {
  if (index.partial && !index.partial(doc)) return []
  const keys = index.text ? index.text.terms(doc).map(encodeKey) : fieldEntries(index, doc)
  return keys.length < 2 ? keys : [...new Map(keys.map(key => [key.toString('latin1'), key])).values()]
}

function fieldEntries(index: Index, doc: Doc): Buffer[] {
  const paths = index.fields.map(field => field.path)
  const tuples = keyTuples(doc, paths)
  if (index.sparse && tuples.every(tuple => tuple.every(value => value === undefined))) return []
  return tuples.map(tuple => Buffer.concat(tuple.map(encodeKey)))
}
