type Make = (value: never) => unknown

/** What was made of each value that never changes. Undefined as long as there is none, so that it costs nothing. */
let made: WeakMap<object, Map<Make, unknown>> | undefined

/** Says that a value never changes, at any depth: what is made of it is kept for as long as it lives. */
export function lasting<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  made ??= new WeakMap()
  if (!made.has(value)) made.set(value, new Map())
  return value
}

/** Makes something of a value; if the value never changes, then only the first time. What is made does not change either. */
export function makeOnce<Value, Made>(value: Value, make: (value: Value) => Made): Made {
  const known = made?.get(value as object)
  if (!known) return make(value)
  const kept = known.get(make)
  if (kept !== undefined) return kept as Made
  const fresh = make(value)
  known.set(make, fresh)
  return fresh
}

/** Whether a value never changes. */
export const isLasting = (value: unknown): boolean => made?.has(value as object) === true
