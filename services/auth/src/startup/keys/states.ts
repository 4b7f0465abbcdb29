import type { SigningKey } from '../../api/keys/model.ts'

/** Where a key of the directory is, by its kid. */
export type KeyFiles = ReadonlyMap<string, string>

/** What is known about keys: newest first, and the time by the clock that decides, in milliseconds since 1970. */
export interface KnownKeys {
  readonly now: number
  readonly keys: readonly SigningKey[]
}

/** One line a key: its kid, what it does, and its file. */
export function describeKeys({ now, keys }: KnownKeys, files: KeyFiles): readonly string[] {
  const usable = keys.filter(({ kid, withdrawnAt }) => withdrawnAt === undefined && files.has(kid))
  const signs = usable.find(({ signsFrom }) => signsFrom <= now) ?? usable[0]
  const fresh = [...files].filter(([kid]) => !keys.some(key => key.kid === kid)).reverse()
  return [
    ...fresh.map(([kid, file]) => line(kid, 'not published yet: does an auth service with this KEYS_DIR run?', file)),
    ...keys.map(key => line(key.kid, stateOf(key, key === signs, files.has(key.kid), now), files.get(key.kid))),
  ]
}

function stateOf(key: SigningKey, signs: boolean, hasFile: boolean, now: number): string {
  if (key.withdrawnAt !== undefined) {
    return `withdrawn ${time(key.withdrawnAt)}${hasFile ? '; remove its file' : ''}`
  }
  if (signs) return 'signs'
  if (!hasFile) return `no file here; retiring until ${time(key.goodUntil)}`
  if (key.signsFrom > now) return `published, signs from ${time(key.signsFrom)}`
  return 'verifies, signs no more: its file may be removed'
}

function line(kid: string, state: string, file = '-'): string {
  return `${kid}  ${state}  ${file}`
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
