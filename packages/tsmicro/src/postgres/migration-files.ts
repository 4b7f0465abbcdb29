import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { MigrationError } from './migration-error.ts'

/** A migration as it stands in the directory. */
export interface MigrationFile {
  /** From the file's name: `0001_users.sql` is 1. */
  readonly number: number
  /** The file's name. */
  readonly name: string
  readonly sql: string
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string
}

const form = /^(\d{4})_[a-z0-9][a-z0-9_-]*\.sql$/

/** Reads `NNNN_name.sql` in order of their numbers; files of other kinds are ignored. */
export async function readMigrations(directory: URL): Promise<MigrationFile[]> {
  const base = directory.href.endsWith('/') ? directory : new URL(`${directory.href}/`)
  const names = (await readdir(base)).filter(name => name.endsWith('.sql')).sort()
  const files = await Promise.all(names.map(name => read(base, name)))
  for (const [index, { name, number }] of files.entries()) {
    const before = files[index - 1]
    if (before?.number === number) throw new MigrationError('duplicate', name, `has the number of ${before.name}`)
  }
  return files
}

async function read(directory: URL, name: string): Promise<MigrationFile> {
  const number = form.exec(name)?.[1]
  if (number === undefined) throw new MigrationError('name', name, 'should be named like 0001_create_users.sql')
  // git may check text files out with other line ends: the same migration all the same
  const sql = (await readFile(new URL(encodeURIComponent(name), directory), 'utf8')).replaceAll('\r\n', '\n')
  return { number: Number(number), name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
}
