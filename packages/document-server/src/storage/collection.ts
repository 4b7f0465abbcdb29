import { type Doc, decode, isDoc } from '../bson/document.ts'
import { encodeKey, prefixEnd } from '../bson/key.ts'
import { typeName } from '../bson/types.ts'
import { fail } from '../errors.ts'
import type { Pace } from '../pace.ts'
import type { Database } from './database.ts'
import { duplicateKey, type Index, indexEntries } from './indexes.ts'

/** A stored document: its row id, its bytes, and its decoded form. */
export interface Row {
  readonly rid: number
  readonly bytes: Uint8Array
  readonly doc: Doc
}

/** The rows that a scan reads at a time. No statement stays open in between, so a cursor may pause there. */
const chunk = 256
/** Documents longer than this are read one by one. */
const longBytes = 65_536

/** One collection: a table of documents by `_id`, and a table of keys for each other index. */
export class Collection {
  readonly id: number
  readonly database: string
  readonly name: string
  readonly uuid: Uint8Array
  readonly indexes: Index[]
  /** Tells cursors that still read the collection that it has been dropped. */
  dropped = false
  readonly #sqlite: Database

  constructor(
    sqlite: Database,
    stored: { id: number; database: string; name: string; uuid: Uint8Array },
    indexes: Index[],
  ) {
    this.#sqlite = sqlite
    this.id = stored.id
    this.database = stored.database
    this.name = stored.name
    this.uuid = stored.uuid
    this.indexes = indexes
  }

  get namespace(): string {
    return `${this.database}.${this.name}`
  }

  count(): number {
    return Number(this.#sqlite.get(`SELECT count(*) AS n FROM docs_${this.id}`)?.n ?? 0)
  }

  /** The bytes of all documents. */
  dataBytes(): number {
    return Number(this.#sqlite.get(`SELECT sum(length(body)) AS n FROM docs_${this.id}`)?.n ?? 0)
  }

  /** All rows in order of insertion, possibly with rows that are inserted meanwhile. */
  *scan(): Generator<Row> {
    let last = -1
    while (true) {
      if (this.dropped) fail(`collection dropped: ${this.namespace}`, 'QueryPlanKilled')
      const rows = this.#sqlite.all(
        `SELECT rid, CASE WHEN length(body) < ${longBytes} THEN body END AS body
         FROM docs_${this.id} WHERE rid > ? ORDER BY rid LIMIT ${chunk}`,
        last,
      )
      for (const row of rows) {
        if (this.dropped) break
        last = Number(row.rid)
        const whole = row.body === null ? this.byRid(last) : toRow(row)
        if (whole) yield whole
      }
      if (rows.length < chunk) return
    }
  }

  byRid(rid: number): Row | undefined {
    const row = this.#sqlite.get(`SELECT rid, body FROM docs_${this.id} WHERE rid = ?`, rid)
    return row && toRow(row)
  }

  /** The row id of the document with this `_id`, or nothing. */
  ridsOf(id: unknown): number[] {
    return this.#sqlite.all(`SELECT rid FROM docs_${this.id} WHERE id = ?`, encodeKey(id)).map(row => Number(row.rid))
  }

  /** The row ids of the documents whose index entry begins with these bytes, in order of insertion. */
  ridsByPrefix(index: Index, prefix: Buffer): number[] {
    const rows = this.#sqlite.all(
      `SELECT DISTINCT rid FROM keys_${index.id} WHERE k >= ? AND k < ? ORDER BY rid`,
      prefix,
      prefixEnd(prefix),
    )
    return rows.map(row => Number(row.rid))
  }

  /** @throws CommandError DuplicateKey, InvalidIdField, DollarPrefixedFieldName */
  insert(doc: Doc, bytes: Uint8Array): void {
    assertId(doc._id)
    const id = encodeKey(doc._id)
    if (this.#sqlite.get(`SELECT 1 FROM docs_${this.id} WHERE id = ?`, id))
      throw duplicateKey(this.namespace, undefined, doc)
    const entries = this.indexes.map(index => ({ index, keys: indexEntries(index, doc) }))
    for (const { index, keys } of entries) this.#assertFree(index, keys, -1, doc)
    const { lastInsertRowid } = this.#sqlite.run(`INSERT INTO docs_${this.id} (id, body) VALUES (?, ?)`, id, bytes)
    for (const { index, keys } of entries) this.#addKeys(index, keys, Number(lastInsertRowid))
  }

  /** Replaces the document of a row. `before` is its old form. @throws CommandError DuplicateKey */
  replace(rid: number, before: Doc, after: Doc, bytes: Uint8Array): void {
    const changes = this.indexes.map(index => ({
      index,
      ...difference(indexEntries(index, before), indexEntries(index, after)),
    }))
    for (const { index, added } of changes) this.#assertFree(index, added, rid, after)
    this.#sqlite.run(`UPDATE docs_${this.id} SET body = ? WHERE rid = ?`, bytes, rid)
    for (const { index, added, removed } of changes) {
      this.#removeKeys(index, removed, rid)
      this.#addKeys(index, added, rid)
    }
  }

  remove(row: Row): void {
    this.#sqlite.run(`DELETE FROM docs_${this.id} WHERE rid = ?`, row.rid)
    for (const index of this.indexes) this.#removeKeys(index, indexEntries(index, row.doc), row.rid)
  }

  /** Fills a new index from the stored documents. @throws CommandError DuplicateKey */
  build(index: Index, pace: Pace): void {
    for (const row of this.scan()) {
      pace.startDocument()
      const keys = indexEntries(index, row.doc)
      this.#assertFree(index, keys, row.rid, row.doc)
      this.#addKeys(index, keys, row.rid)
    }
  }

  #assertFree(index: Index, keys: readonly Buffer[], rid: number, doc: Doc): void {
    if (!index.unique) return
    for (const key of keys)
      if (this.#sqlite.get(`SELECT 1 FROM keys_${index.id} WHERE k = ? AND rid <> ?`, key, rid))
        throw duplicateKey(this.namespace, index, doc, key)
  }

  #addKeys(index: Index, keys: readonly Buffer[], rid: number): void {
    for (const key of keys) this.#sqlite.run(`INSERT INTO keys_${index.id} (k, rid) VALUES (?, ?)`, key, rid)
  }

  #removeKeys(index: Index, keys: readonly Buffer[], rid: number): void {
    for (const key of keys) this.#sqlite.run(`DELETE FROM keys_${index.id} WHERE k = ? AND rid = ?`, key, rid)
  }
}

function toRow(row: Record<string, unknown>): Row {
  const bytes = row.body as Uint8Array
  return { rid: Number(row.rid), bytes, doc: decode(bytes) }
}

function difference(before: readonly Buffer[], after: readonly Buffer[]): { added: Buffer[]; removed: Buffer[] } {
  const text = (key: Buffer): string => key.toString('latin1')
  const [old, fresh] = [new Set(before.map(text)), new Set(after.map(text))]
  return { added: after.filter(key => !old.has(text(key))), removed: before.filter(key => !fresh.has(text(key))) }
}

/** @throws CommandError for what cannot be an `_id`: arrays, regular expressions, undefined, and field names with a `$` */
export function assertId(id: unknown): void {
  const type = typeName(id)
  if (type === 'array' || type === 'regex' || type === 'undefined')
    fail(`The '_id' value cannot be of type ${type}`, 'InvalidIdField')
  assertNoDollar(id)
}

function assertNoDollar(value: unknown): void {
  if (Array.isArray(value)) value.forEach(assertNoDollar)
  if (!isDoc(value)) return
  // A reference to another document is a value.
  const allowed = Object.keys(value)[0] === '$ref' && '$id' in value ? ['$ref', '$id', '$db'] : []
  for (const [key, field] of Object.entries(value)) {
    if (key.startsWith('$') && !allowed.includes(key))
      fail(
        `_id fields may not contain '$'-prefixed fields: ${key} is not valid for storage.`,
        'DollarPrefixedFieldName',
      )
    assertNoDollar(field)
  }
}
