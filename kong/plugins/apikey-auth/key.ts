/** What a request says of its key. */
export type KeyReading =
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'key'; readonly key: string }

const LONGEST = 200

/** The key of a request, from all values of all header fields that may hold it: 1 to 200 visible ASCII characters, sent once. */
export function readKey(values: readonly string[]): KeyReading {
  if (values.length === 0) return { kind: 'missing' }
  if (values.length > 1) return { kind: 'malformed' }
  const key = values[0]
  if (key === undefined || key === '') return { kind: 'missing' }
  if (key.length > LONGEST) return { kind: 'malformed' }
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code < 33 || code > 126) return { kind: 'malformed' }
  }
  return { kind: 'key', key }
}
