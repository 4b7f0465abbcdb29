const MAX_ENTRIES = 1000
const MAX_KEY_LENGTH = 64

/** Header fields as name, value, name, value …, changed in place. Names are compared case-insensitively. */
export class HeaderList {
  readonly #fields: string[]

  constructor(fields: string[]) {
    this.#fields = fields
  }

  /** Replaces every field of this name. */
  set(name: string, value: string): void {
    this.remove(name)
    this.#fields.push(name, value)
  }

  /** Keeps the existing fields of this name. */
  add(name: string, value: string): void {
    this.#fields.push(name, value)
  }

  remove(name: string): void {
    removeField(this.#fields, name.toLowerCase())
  }
}

/** Removes every field of this name from a list of name, value, name, value …; `name` in lower case. */
export function removeField(fields: string[], name: string): void {
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    if (isNamed(fields[i] ?? '', name)) fields.splice(i, 2)
  }
}

/**
 * Every occurrence of a header field in a list of name, value, name, value …; `name` in lower case. A request's `headersDistinct`
 * would build a table of all of its fields, and `headers` hides that a field was repeated.
 */
export function headerValues(fields: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (isNamed(fields[i] ?? '', name)) values.push(fields[i + 1] ?? '')
  }
  return values
}

function isNamed(field: string, lower: string): boolean {
  return field.length === lower.length && field.toLowerCase() === lower
}

/**
 * Caches the results of a pure function for short strings that keep coming back, such as header names and hosts. Clients can make
 * up any number of them, so the cache is cleared when it is full and never keeps a long string: it takes about 100 KB at most.
 */
export function boundedMemo<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return text => {
    const before = known.get(text)
    if (before !== undefined) return before
    const made = make(text)
    if (text.length <= MAX_KEY_LENGTH) {
      if (known.size === MAX_ENTRIES) known.clear()
      known.set(text, made)
    }
    return made
  }
}
