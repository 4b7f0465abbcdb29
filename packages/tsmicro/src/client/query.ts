import { describeSchema, readsNull, type Schema } from '../schema/index.ts'
import { refusal, textOf } from './text.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Prepares the writing of query fields: what is undefined is left out, a list is its items one by one. Null is written where the
 * other end reads it as one; where a text is allowed, too, it would be the text `null`.
 */
export function compileQuery(schema: Schema | undefined): (fields: Fields, into: URLSearchParams) => void {
  const nullOf = (name: string) => {
    if (!readsNull(schema ? describeSchema(schema) : {}, name))
      throw refusal(name, 'null cannot be written in a query; leave it out')
    return 'null'
  }
  return (fields, into) => {
    for (const [name, value] of Object.entries(fields)) {
      for (const each of Array.isArray(value) ? value : [value])
        if (each !== undefined) into.append(name, each === null ? nullOf(name) : textOf(each, name))
    }
  }
}
