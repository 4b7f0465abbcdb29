import type { AnyErrorClass } from '../errors/index.ts'
import { describeSchema, exampleOf, type JsonSchema, type Schema } from '../schema/index.ts'
import { failureEnvelope, SUCCESS_CODE } from './envelope.ts'

const REQUEST_ID = '7c1e5f0a-3b1d-4c57-9a51-0d5a3c1f6e42'

/** A part of a document with an example of its schema, if there is one. @param schema with its own definitions, which the document moves */
export function withExample(part: JsonSchema, schema: JsonSchema | undefined, name?: string): JsonSchema {
  const example = schema && exampleOf(schema, name)
  return example === undefined ? part : { ...part, example }
}

/** An example of a success envelope around `data`; undefined if there is none of the data. */
export function successExample(status: number, message: string, data: JsonSchema | undefined): JsonSchema | undefined {
  const value = data && exampleOf(data)
  if (data && value === undefined) return undefined
  return { code: SUCCESS_CODE, status, message, ...(data ? { data: value } : {}) }
}

/** An example for each error that a procedure declares with a status, by their codes. */
export function failureExamples(errors: readonly AnyErrorClass[]): JsonSchema {
  const examples = errors.flatMap(type => {
    const { code, dataSchema } = type
    const data = dataSchema === undefined ? undefined : exampleOf(describeSchema(dataSchema as Schema))
    if (dataSchema !== undefined && data === undefined) return []
    return [[code, { value: failureEnvelope(new type(data), REQUEST_ID) }]]
  })
  return Object.fromEntries(examples)
}
