import { randomUUID } from 'node:crypto'
import { type Doc, decode, encode } from '../bson/document.ts'
import { fail } from '../errors.ts'
import type { Pace } from '../pace.ts'
import { Collection } from './collection.ts'
import type { Database } from './database.ts'
import { type Index, toIndex } from './indexes.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS collections (
    id INTEGER PRIMARY KEY AUTOINCREMENT, database TEXT NOT NULL, name TEXT NOT NULL, uuid BLOB NOT NULL,
    UNIQUE (database, name));
  CREATE TABLE IF NOT EXISTS indexes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, name TEXT NOT NULL, spec BLOB NOT NULL,
    UNIQUE (collection, name));`

/** The collections and their indexes, in memory and in the file. */
export class Catalog {
  readonly #sqlite: Database
  #collections = new Map<string, Collection>()

  constructor(sqlite: Database) {
    this.#sqlite = sqlite
    sqlite.exec(schema)
    sqlite.onRollback(() => this.#load())
    this.#load()
  }

  #load(): void {
    const before = this.#collections
    this.#collections = new Map()
    for (const row of this.#sqlite.all('SELECT id, database, name, uuid FROM collections ORDER BY id')) {
      const stored = {
        id: Number(row.id),
        database: String(row.database),
        name: String(row.name),
        uuid: row.uuid as Uint8Array,
      }
      const indexes = this.#sqlite
        .all('SELECT id, spec FROM indexes WHERE collection = ? ORDER BY id', stored.id)
        .map(index => toIndex(Number(index.id), decode(index.spec as Uint8Array)))
      this.#collections.set(`${stored.database}.${stored.name}`, new Collection(this.#sqlite, stored, indexes))
    }
    // Cursors may still hold the old objects, which must not read a table that no longer exists.
    const alive = new Set([...this.#collections.values()].map(collection => collection.id))
    for (const collection of before.values()) collection.dropped = !alive.has(collection.id)
  }

  find(database: string, name: string): Collection | undefined {
    return this.#collections.get(`${database}.${name}`)
  }

  /** The collection, which is created if it does not exist. */
  require(database: string, name: string): Collection {
    return this.find(database, name) ?? this.create(database, name)
  }

  create(database: string, name: string): Collection {
    assertName(database, name)
    const uuid = Buffer.from(randomUUID().replaceAll('-', ''), 'hex')
    const { lastInsertRowid } = this.#sqlite.run(
      'INSERT INTO collections (database, name, uuid) VALUES (?, ?, ?)',
      database,
      name,
      uuid,
    )
    const id = Number(lastInsertRowid)
    this.#sqlite.exec(`CREATE TABLE docs_${id} (rid INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL)`)
    const collection = new Collection(this.#sqlite, { id, database, name, uuid }, [])
    this.#collections.set(`${database}.${name}`, collection)
    return collection
  }

  drop(collection: Collection): void {
    for (const index of collection.indexes) this.#sqlite.exec(`DROP TABLE keys_${index.id}`)
    this.#sqlite.exec(`DROP TABLE docs_${collection.id}`)
    this.#sqlite.run('DELETE FROM indexes WHERE collection = ?', collection.id)
    this.#sqlite.run('DELETE FROM collections WHERE id = ?', collection.id)
    collection.dropped = true
    this.#collections.delete(collection.namespace)
  }

  /** @throws CommandError DuplicateKey if the stored documents violate it */
  addIndex(collection: Collection, spec: Doc, pace: Pace): Index {
    const { lastInsertRowid } = this.#sqlite.run(
      'INSERT INTO indexes (collection, name, spec) VALUES (?, ?, ?)',
      collection.id,
      String(spec.name),
      encode(spec),
    )
    const index = toIndex(Number(lastInsertRowid), spec)
    const primary = index.unique ? 'k' : 'k, rid'
    this.#sqlite.exec(
      `CREATE TABLE keys_${index.id} (k BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (${primary})) WITHOUT ROWID`,
    )
    collection.build(index, pace)
    collection.indexes.push(index)
    return index
  }

  dropIndex(collection: Collection, index: Index): void {
    this.#sqlite.exec(`DROP TABLE keys_${index.id}`)
    this.#sqlite.run('DELETE FROM indexes WHERE id = ?', index.id)
    collection.indexes.splice(collection.indexes.indexOf(index), 1)
  }

  collections(database?: string): Collection[] {
    const all = [...this.#collections.values()]
    return database === undefined ? all : all.filter(collection => collection.database === database)
  }

  databases(): string[] {
    return [...new Set(this.collections().map(collection => collection.database))].sort()
  }
}

/** @throws CommandError InvalidNamespace */
export function assertName(database: string, name: string): void {
  if (!/^[^/\\. "$\0]{1,63}$/.test(database)) fail(`Invalid database name: '${database}'`, 'InvalidNamespace')
  if (/^$|^\.|[\0$]|\.$|^system\./.test(name) || Buffer.byteLength(`${database}.${name}`) > 255)
    fail(`Invalid namespace specified '${database}.${name}'`, 'InvalidNamespace')
}
