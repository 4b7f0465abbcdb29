/** The processes of this benchmark. */
export type Role = 'upstream' | 'proxy' | 'generator'

/** The file that such a process runs. */
export function roleFile(role: Role): URL {
  return new URL(`./roles/${role}.ts`, import.meta.url)
}
