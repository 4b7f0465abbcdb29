import type { Document } from 'mongodb'

/** The driver's projection for a list of field names. */
export function projection(names: readonly string[] | undefined): { projection?: Document } {
  if (names === undefined) return {}
  return { projection: Object.fromEntries(['_id', ...names].map(name => [name, 1])) }
}

/** Keeps `_id` and the fields that were asked for. */
export function pick(document: Document, names: readonly string[] | undefined): Document {
  if (names === undefined) return document
  return Object.fromEntries(['_id', ...names].filter(name => name in document).map(name => [name, document[name]]))
}
