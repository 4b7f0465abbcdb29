/** Headers by name. What is undefined is not sent. */
export type HeaderFields = Readonly<Record<string, string | undefined>>

/**
 * Merges headers by name, whatever their spelling; the later ones win.
 * @throws {TypeError} for a name or a value that no header can have
 */
export function mergeHeaders(...sources: readonly (HeaderFields | undefined)[]): Headers {
  const headers = new Headers()
  for (const source of sources)
    for (const [name, value] of Object.entries(source ?? {})) if (value !== undefined) headers.set(name, value)
  return headers
}
