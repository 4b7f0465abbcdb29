import {
  type BoundProcedure,
  type FileBody,
  type FileRule,
  fileOfOutput,
  limitsOf,
  type UploadBody,
} from '../contract/index.ts'
import { type AnyErrorClass, RANGE_NOT_SATISFIABLE } from '../errors/index.ts'
import type { JsonSchema } from '../schema/index.ts'

const BINARY = { type: 'string', format: 'binary' }

/** The content of a body that is a file. */
export function binary({ types }: FileBody): JsonSchema {
  return Object.fromEntries(types.map(type => [type, { schema: BINARY }]))
}

/** The body of a request with files. @param fields schema of a form's fields */
export function fileRequest(input: FileBody | UploadBody, fields: JsonSchema | undefined): JsonSchema {
  if (!('files' in input)) return { required: true, description: describe(input), content: binary(input) }
  const rules = Object.entries(input.files)
  const files = {
    type: 'object',
    properties: Object.fromEntries(rules.map(([name, rule]) => [name, schemaOf(rule)])),
    required: rules.filter(([, { optional }]) => !optional).map(([name]) => name),
  }
  const typed = rules.flatMap(([name, { types }]) => (types ? [[name, { contentType: types.join(', ') }]] : []))
  const schema = fields ? { allOf: [fields, files] } : files
  return { required: true, content: { 'multipart/form-data': { schema, encoding: Object.fromEntries(typed) } } }
}

/** The failures that come with files that are read. */
export function fileFailures({ http, output }: BoundProcedure): AnyErrorClass[] {
  return http?.startsWith('GET ') && fileOfOutput(output) ? [RANGE_NOT_SATISFIABLE] : []
}

function schemaOf(rule: FileRule): JsonSchema {
  const one = { ...BINARY, description: describe(rule) }
  return rule.maxCount === undefined ? one : { type: 'array', items: one, maxItems: rule.maxCount }
}

function describe(rule: FileRule): string {
  return `At most ${limitsOf(rule).maxBytes} bytes`
}
