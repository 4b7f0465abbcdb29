/** Percent-encodes a text as it is: a lone surrogate as the three bytes that it would have, which `encodeURIComponent` refuses. */
export function percentEncoded(text: string): string {
  return [...text].map(char => (char.isWellFormed() ? encodeURIComponent(char) : surrogate(char))).join('')
}

function surrogate(char: string): string {
  const unit = char.charCodeAt(0)
  const bytes = [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]
  return bytes.map(byte => `%${byte.toString(16).toUpperCase()}`).join('')
}
