import type { JsonSchema } from 'tsmicro/internal'
import type {
  FileRule,
  RecordedBody,
  RecordedFile,
  RecordedProcedure,
  RecordedStream,
  RecordedUpload,
} from './record.ts'
import { type Found, inputChanged, outputChanged } from './schemas.ts'

const ANOTHER = 'declare a new procedure beside it'
export const KEEP = `keep it, or ${ANOTHER}`
/** An input that is not declared is an object without fields. */
const NO_INPUT: JsonSchema = { type: 'object', properties: {} }
const DEFAULT_BYTES = 10 * 1024 * 1024

/** What callers send, and what is accepted now. */
export function bodyTaken(before: RecordedProcedure, after: RecordedProcedure): Found {
  const isHttp = before.http !== undefined
  const [sent, taken] = [before.input ?? NO_INPUT, after.input ?? NO_INPUT]
  // Without an input, the NATS door does not look at what it is given.
  if (after.input === undefined && !isHttp) return before.input ? [{ what: 'input: it is no longer looked at' }] : []
  if (kindOf(sent) !== kindOf(taken)) return [otherKind('input', sent, taken)]
  const fields = jsonTaken(fieldsOf(sent), fieldsOf(taken), isHttp)
  if (isFile(sent) && isFile(taken))
    return [
      ...fields,
      ...ruleChanged(
        'file',
        { types: sent.file, maxBytes: sent.maxBytes },
        { types: taken.file, maxBytes: taken.maxBytes },
      ),
    ]
  return isUpload(sent) && isUpload(taken) ? [...fields, ...filesChanged(sent.upload, taken.upload)] : fields
}

function jsonTaken(sent: JsonSchema, taken: JsonSchema, isHttp: boolean): Found {
  const journey = { unknownFields: isHttp ? 'refuse' : 'ignore', defaults: 'omitted' } as const
  return inputChanged('input', sent, taken, journey, {
    absent: `make it optional or give it a default, or ${ANOTHER}`,
    others: `accept it still, or ${ANOTHER}`,
  })
}

/** What is answered now, and what callers read. */
export function answerChanged(read: RecordedBody | undefined, answered: RecordedBody | undefined): Found {
  if (read === undefined) return answered ? [{ what: 'output is new: those who do not know it drop it' }] : []
  if (answered === undefined) return [{ what: 'output is removed', instead: KEEP }]
  if (kindOf(read) !== kindOf(answered)) return [otherKind('output', read, answered)]
  if (isFile(read) && isFile(answered))
    return answered.file
      .filter(type => !isCovered(type, read.file))
      .map(type => ({ what: `output: it may now be ${type}`, instead: KEEP }))
  if (!isStream(read) || !isStream(answered)) return jsonAnswered('output', read as JsonSchema, answered as JsonSchema)
  const items = jsonAnswered('item', read.stream, answered.stream)
  if (read.id === answered.id) return items
  if (read.id === undefined) return [...items, { what: `item: ${answered.id} identifies it now` }]
  const what = `item: ${read.id} no longer identifies it: who comes back is not understood`
  return [...items, { what, instead: KEEP }]
}

/** @param part names the value: the output, or the data of an error */
export function jsonAnswered(part: string, read: JsonSchema, answered: JsonSchema): Found {
  const journey = { unknownFields: 'ignore', defaults: 'none' } as const
  return outputChanged(part, read, answered, journey, `answer as before, or ${ANOTHER}`)
}

const isFile = (body: RecordedBody): body is RecordedFile => 'file' in body
const isUpload = (body: RecordedBody): body is RecordedUpload => 'upload' in body
const isStream = (body: RecordedBody): body is RecordedStream => 'stream' in body

function kindOf(body: RecordedBody): string {
  return isFile(body) ? 'a file' : isUpload(body) ? 'a form' : isStream(body) ? 'a stream' : 'a JSON value'
}

function otherKind(part: string, before: RecordedBody, after: RecordedBody): Found[number] {
  return { what: `${part} is ${kindOf(after)} instead of ${kindOf(before)}`, instead: KEEP }
}

/** The fields beside files; a JSON value consists of its own. */
function fieldsOf(body: RecordedBody): JsonSchema {
  if (isFile(body) || isUpload(body)) return body.fields ?? NO_INPUT
  return body as JsonSchema
}

function filesChanged(sent: RecordedUpload['upload'], taken: RecordedUpload['upload']): Found {
  const kept = Object.entries(sent).flatMap(([name, rule]): Found => {
    const now = taken[name]
    if (!now) return [{ what: `input: file ${name} is no longer accepted`, instead: KEEP }]
    const isNeeded = rule.optional && !now.optional
    return [
      ...(isNeeded ? [{ what: `input: file ${name} is required now`, instead: 'leave it optional' }] : []),
      ...ruleChanged(`file ${name}`, rule, now),
    ]
  })
  const added = Object.entries(taken).flatMap(([name, { optional }]): Found => {
    if (sent[name]) return []
    if (optional) return [{ what: `input: file ${name} is new, and may be left out` }]
    return [{ what: `input: file ${name} is required now`, instead: `make it optional, or ${ANOTHER}` }]
  })
  return [...kept, ...added]
}

function ruleChanged(name: string, sent: FileRule, taken: FileRule): Found {
  const [bytes, mostBytes] = [sent.maxBytes ?? DEFAULT_BYTES, taken.maxBytes ?? DEFAULT_BYTES]
  const [count, most] = [sent.maxCount ?? 1, taken.maxCount ?? 1]
  const types = (sent.types ?? ['*/*']).filter(type => !isCovered(type, taken.types ?? ['*/*']))
  const refused = [
    ...types.map(type => (type === '*/*' ? 'other media types' : type)),
    ...(mostBytes < bytes ? [`more than ${mostBytes} bytes`] : []),
    ...(most < count ? [`more than ${most} files`] : []),
  ]
  return refused.map(what => ({ what: `input: ${name} no longer accepts ${what}`, instead: KEEP }))
}

/** Whether a media type or range is among these types and ranges. */
function isCovered(type: string, types: readonly string[]): boolean {
  return types.some(each => each === '*/*' || each === type || each === `${type.split('/')[0]}/*`)
}
