import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { MigrationError } from './error.ts'
import { lineAt, type Statement, statementsOf } from './statements.ts'

/** A migration as it is in the directory. */
export interface MigrationFile {
  /** From the file's name: `0001_users.sql` is 1. */
  readonly number: number
  /** The file's name. */
  readonly name: string
  readonly sql: string
  readonly statements: readonly Statement[]
  /** False if the file says `-- tsmicro: no transaction`: then each statement runs on its own. */
  readonly transaction: boolean
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string
}

const FORM = /^(\d{4})_[a-z0-9][a-z0-9_-]*\.sql$/
const MARKER = '-- tsmicro: no transaction'
const MARKER_LIKE = /^[ \t]*--[ \t]*tsmicro[ \t]*:.*$/gim

/** Reads the files `NNNN_name.sql` in the order of their numbers; files with other extensions are ignored. */
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
  const number = FORM.exec(name)?.[1]
  if (number === undefined) throw new MigrationError('name', name, 'should be named like 0001_create_users.sql')
  const bytes = await readFile(new URL(encodeURIComponent(name), directory))
  if (!isUtf8(bytes) || bytes.includes(0)) throw new MigrationError('encoding', name, 'is not UTF-8: save it as UTF-8')
  // Git may check out text files with other line ends, and editors may add a byte order mark: it is still the same migration.
  const sql = bytes
    .toString()
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
  const checksum = createHash('sha256').update(sql).digest('hex')
  const statements = statementsOf(sql)
  return { number: Number(number), name, sql, statements, transaction: !isMarked(name, sql, statements), checksum }
}

/** @throws {MigrationError} if a marker is misspelled or misplaced, which would otherwise go unnoticed */
function isMarked(name: string, sql: string, statements: readonly Statement[]): boolean {
  let marked = false
  for (const { 0: text, index } of sql.matchAll(MARKER_LIKE)) {
    const line = lineAt(sql, index)
    if (statements.some(({ start, text: { length } }) => index > start && index < start + length)) continue
    if (text.trim().toLowerCase() !== MARKER) {
      throw new MigrationError('marker', name, `says ${text.trim()} in line ${line}: the only marker is ${MARKER}`, {
        line,
      })
    }
    if (index > (statements[0]?.start ?? index)) {
      throw new MigrationError('marker', name, `says ${MARKER} in line ${line}: put it above all statements`, { line })
    }
    marked = true
  }
  return marked
}
