const MAX_ENTRIES = 1000
const MAX_KEY_LENGTH = 64

/**
 * Remembers what a pure function makes of short texts that come again and again: names of header fields, hosts. Clients may make
 * up any number of them, so it forgets everything when it is full, and never keeps a long one: some 100 KB at most, whoever asks.
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
