import type { AnyErrorClass } from '../errors/index.ts'
import { findNotJson, type Schema } from '../schema/index.ts'
import { whyNotAccess } from './access.ts'
import {
  type FileBody,
  fieldsOfInput,
  jsonOfOutput,
  kindOfBody,
  type StreamBody,
  type UploadBody,
  whyNotBody,
} from './body.ts'
import { whyNotHttp } from './http-input.ts'
import { type HttpRoute, parseRoute } from './http-route.ts'
import { type RepliesSpec, whyNotReplies } from './replies.ts'
import { checkSubject } from './subject.ts'

/** Anything that takes longer is a job, not a call that somebody waits for. */
const LONGEST_TIMEOUT_MS = 24 * 60 * 60 * 1000

/** The parts of a `ProcedureSpec` that are checked. Its own type would make a circle of imports. */
interface Declared extends RepliesSpec {
  readonly http?: HttpRoute
  readonly nats?: string
  readonly access: unknown
  readonly input?: Schema | FileBody | UploadBody
  readonly output?: Schema | FileBody | StreamBody
  readonly errors?: Readonly<Record<string, AnyErrorClass>>
  readonly message?: string
  readonly bare?: boolean
  readonly timeoutMs?: number
}

/**
 * Says why a procedure cannot be declared; undefined if it can.
 * @param words the options that a procedure has
 * @throws {TypeError} for an invalid subject or route
 */
export function whyNotProcedure(spec: Declared, words: readonly string[]): string | undefined {
  const other = Object.keys(spec).find(word => !words.includes(word))
  if (other !== undefined) return `${other} is unknown; the options are ${words.join(', ')}`
  if (!spec.http && !spec.nats) return 'give it a door: http, nats or both'
  if (spec.timeoutMs !== undefined && !(spec.timeoutMs > 0 && spec.timeoutMs <= LONGEST_TIMEOUT_MS))
    return 'timeoutMs must be above 0 and at most a day (86400000)'
  if (spec.nats !== undefined) checkSubject(spec.nats)
  const input = fieldsOfInput(spec.input)
  for (const [part, schema] of Object.entries({ input, output: jsonOfOutput(spec.output) })) {
    const why = schema && findNotJson(schema)
    if (why) return `${part}: ${why}`
  }
  const misused = whyNotAccess(spec.access) ?? whyNotBody(spec) ?? whyNotReplies(spec)
  if (misused) return misused
  if (spec.http) {
    const route = parseRoute(spec.http)
    const why = input && whyNotHttp(route, input, kindOfBody(spec.input))
    if (why) return why
    if (route.params.length > 0 && !input)
      return `declare the path parameters ${route.params.join(', ')} as fields of the input`
  }
  const misnamed = Object.entries(spec.errors ?? {}).find(([name, { code }]) => name !== code)
  return misnamed && `error ${misnamed[1].code} is listed as ${misnamed[0]}`
}
