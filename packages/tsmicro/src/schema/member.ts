/** A field's value. Getters of a class count, what every object has does not: `constructor` may well be a field's name. */
export function memberOf(value: object, name: string): unknown {
  return hasMember(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

export function hasMember(value: object, name: string): boolean {
  return Object.hasOwn(value, name) || (name in value && !(name in Object.prototype))
}
