/**
 * Letters, digits and `_ . : -`, from 1 to `longest` of them: what can stand in a header field, a list with commas and a log
 * line as it is.
 */
export function isWord(text: string, longest: number): boolean {
  if (text.length < 1 || text.length > longest) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (!isAlphanumeric(code) && code !== 95 && code !== 46 && code !== 58 && code !== 45) return false
  }
  return true
}

export function isAlphanumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}
