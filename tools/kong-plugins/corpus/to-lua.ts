/** A JSON value as a Lua literal; `null` is the variable of that name. Strings become bytes. */
export function toLua(value: unknown, encoding: 'latin1' | 'utf8'): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return quoted(Buffer.from(value, encoding))
  if (Array.isArray(value)) return `{${value.map(each => toLua(each, encoding)).join(',')}}`
  if (typeof value !== 'object') return String(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.map(([name, member]) => `[${toLua(name, encoding)}]=${toLua(member, encoding)}`).join(',')}}`
}

function quoted(bytes: Buffer): string {
  return `"${[...bytes].map(byte => `\\${String(byte).padStart(3, '0')}`).join('')}"`
}
