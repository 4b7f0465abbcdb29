import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { MigrationError } from './error.ts'
import { lineAt, type Statement, statementsOf } from './statements.ts'

/** A migration as it stands in the directory. */
export interface MigrationFile {
  /** From the file's name: `0001_users.sql` is 1. */
  readonly number: number
  /** The file's name. */
  readonly name: string
  readonly sql: string
  readonly statements: readonly Statement[]
  /** False when it says `-- tsmicro: no transaction`: its statements run one by one, each on its own. */
  readonly transaction: boolean
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string
}

const FORM = /^(\d{4})_[a-z0-9][a-z0-9_-]*\.sql$/
const MARKER = '-- tsmicro: no transaction'
const MARKER_LIKE = /^[ \t]*--[ \t]*tsmicro[ \t]*:.*$/gim

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
  const number = FORM.exec(name)?.[1]
  if (number === undefined) throw new MigrationError('name', name, 'should be named like 0001_create_users.sql')
  const bytes = await readFile(new URL(encodeURIComponent(name), directory))
  if (!isUtf8(bytes) || bytes.includes(0)) throw new MigrationError('encoding', name, 'is not UTF-8: save it as such')
  // git may check text files out with other line ends, and editors begin them with a mark: the same migration all the same
  const sql = bytes
    .toString()
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
  const checksum = createHash('sha256').update(sql).digest('hex')
  const statements = statementsOf(sql)
  return { number: Number(number), name, sql, statements, transaction: !isMarked(name, sql, statements), checksum }
}

/** A marker that is written or placed otherwise would be passed over in silence. */
function isMarked(name: string, sql: string, statements: readonly Statement[]): boolean {
  let marked = false
  for (const { 0: text, index } of sql.matchAll(MARKER_LIKE)) {
    const line = lineAt(sql, index)
    if (statements.some(({ start, text: { length } }) => index > start && index < start + length)) continue
    if (text.trim().toLowerCase() !== MARKER) {
      throw new MigrationError('marker', name, `says ${text.trim()} in line ${line}: there is only ${MARKER}`, { line })
    }
    if (index > (statements[0]?.start ?? index)) {
      throw new MigrationError('marker', name, `says ${MARKER} in line ${line}: it belongs above all statements`, {
        line,
      })
    }
    marked = true
  }
  return marked
}
