/** What is declared must be able to work: it is checked when a contract is made. Browsers load `refusals.browser.ts` instead. */
import { type ErrorSpec, frameworkErrors, MALFORMED_REPLY } from '../errors/index.ts'
import {
  describeSchema,
  fieldNodes,
  findNotJson,
  type JsonSchema,
  Kinds,
  mayHaveField,
  type Root,
  rootOf,
  type Schema,
} from '../schema/index.ts'
import { whyNotAccess } from './access.ts'
import { fieldsOfInput, kindOfBody, whyNotBody } from './body.ts'
import { whyNotHttp } from './http-input.ts'
import { parseRoute } from './http-route.ts'
import { whyNotReplies } from './replies.ts'
import type { EventSpec, ProcedureSpec } from './spec.ts'
import { checkSubject } from './subject.ts'

/** Anything that takes longer is a job, not a call that somebody waits for. */
const LONGEST_TIMEOUT_MS = 24 * 60 * 60 * 1000

const WORDS: readonly string[] = Object.keys({
  http: true,
  nats: true,
  access: true,
  summary: true,
  input: true,
  output: true,
  errors: true,
  status: true,
  headers: true,
  cookies: true,
  message: true,
  bare: true,
  idempotent: true,
  idempotencyKey: true,
  timeoutMs: true,
  bodyLimitBytes: true,
} satisfies Record<keyof ProcedureSpec, true>)

/** @throws {TypeError} when the options contradict each other; the message says how */
export function checkProcedure(spec: ProcedureSpec): void {
  const refuse = (why: string): never => {
    throw new TypeError(`${spec.http || spec.nats || 'procedure'}: ${why}`)
  }
  const other = Object.keys(spec).find(word => !WORDS.includes(word))
  if (other !== undefined) refuse(`${other} is unknown; the options are ${WORDS.join(', ')}`)
  if (spec.http === undefined && spec.nats === undefined) refuse('give it a door: http, nats or both')
  if (spec.timeoutMs !== undefined && !(spec.timeoutMs > 0 && spec.timeoutMs <= LONGEST_TIMEOUT_MS))
    refuse('timeoutMs must be above 0 and at most a day (86400000)')
  if (spec.nats !== undefined) checkSubject(spec.nats)
  for (const part of ['input', 'output'] as const) {
    const why = whyNotPart(spec[part])
    if (why) refuse(`${part}: ${why}`)
  }
  const input = fieldsOfInput(spec.input)
  const misused = whyNotAccess(spec.access) ?? whyNotBody(spec) ?? whyNotReplies(spec)
  if (misused) refuse(misused)
  if (spec.http !== undefined) {
    const route = parseRoute(spec.http)
    const why = input && whyNotHttp(route, input, kindOfBody(spec.input))
    if (why) refuse(why)
    if (route.params.length > 0 && !input)
      refuse(`declare the path parameters ${route.params.join(', ')} as fields of the input`)
  }
  for (const [name, error] of Object.entries(spec.errors ?? {})) {
    if (name !== error.code) refuse(`error ${error.code} is listed as ${name}`)
  }
}

/** Types of what can stand in a header. */
const IDENTIFYING: readonly unknown[] = ['string', 'number', 'integer', 'boolean']

/** Why an input or an output cannot be sent. */
function whyNotPart(declared: ProcedureSpec['input'] | ProcedureSpec['output']): string | undefined {
  const body = declared !== null && typeof declared === 'object' && kindOfBody(declared) ? declared : undefined
  // A file or a form may have fields, a stream has checked its items.
  const schema = body ? (body as { readonly fields?: Schema }).fields : (declared as Schema | undefined)
  return schema === undefined ? undefined : findNotJson(schema)
}

/** @throws {TypeError} when the event cannot be sent, or what it is about cannot be told */
export function checkEvent({ subject, data, aggregate }: EventSpec): void {
  checkSubject(subject)
  const why = findNotJson(data) ?? whyNotAggregate(describeSchema(data), aggregate)
  if (why) throw new TypeError(`event ${subject}: ${why}`)
}

function whyNotAggregate(data: JsonSchema, name: unknown): string | undefined {
  const root = rootOf(data)
  // No compiler checks plain JavaScript.
  if (typeof name !== 'string' || !mayHaveField(data, name, root))
    return `aggregate must name a field of its data, not ${String(name)}`
  if (!hasAlways(data, name, root)) return `aggregate ${name} may be missing: make it a required field`
  const fits = fieldNodes(data, name, root).every(node => {
    const { anything, types, constants } = new Kinds(node, root)
    return !anything && [...types, ...constants.map(each => typeof each)].every(type => IDENTIFYING.includes(type))
  })
  return fits ? undefined : `aggregate ${name} must always be a text, a number or a boolean`
}

/** Whether an object of a schema always has a field. */
function hasAlways(schema: JsonSchema, name: string, root: Root): boolean {
  const { required, allOf, anyOf, oneOf } = root.resolve(schema)
  const inner = (nodes: unknown) => (Array.isArray(nodes) ? nodes.map(each => hasAlways(each, name, root)) : [])
  return (
    (Array.isArray(required) && required.includes(name)) ||
    inner(allOf).includes(true) ||
    [anyOf, oneOf].some(branches => Array.isArray(branches) && !inner(branches).includes(false))
  )
}

/** @throws {TypeError} when an error could be taken for another, or its data cannot be sent */
export function checkError(code: string, { data, status }: ErrorSpec<Schema>): void {
  if (!Number.isInteger(status) || status < 400 || status > 599)
    throw new TypeError(`error ${code}: status must be an integer from 400 to 599, not ${status}`)
  if (!/^[A-Z][A-Z0-9_]*$/.test(code)) throw new TypeError(`error ${JSON.stringify(code)}: write it in UPPER_CASE`)
  if (code in frameworkErrors || code === MALFORMED_REPLY.code)
    throw new TypeError(
      `error ${code}: the framework has an error of this name; use frameworkErrors.${code}, or another name`,
    )
  const why = data === undefined ? undefined : findNotJson(data)
  if (why) throw new TypeError(`error ${code}: ${why}`)
}

/** An object with a function `then` is taken for a promise, and `toJSON` is called by `JSON.stringify`. */
const RESERVED: readonly string[] = ['then', 'toJSON']

interface Member {
  readonly kind?: unknown
  readonly nats?: string
  readonly subject?: string
}

/** @throws {TypeError} for a name that is taken or has a meaning, for a service as for each member of its contract */
export function checkMembers(service: string, members: Readonly<Record<string, Member | undefined>>): void {
  if (!/^[a-z][a-z0-9-]*$/.test(service))
    throw new TypeError(`service ${JSON.stringify(service)}: lower-case letters, digits and -`)
  const refusal = (why: string) => new TypeError(`contract ${service}: ${why}`)
  const subjects = new Map<string, string>()
  for (const [name, member] of Object.entries(members)) {
    if (member?.kind !== 'procedure' && member?.kind !== 'event')
      throw refusal(`${name} is neither a procedure({ … }) nor an event({ … })`)
    if (RESERVED.includes(name) || name in Object.prototype)
      throw refusal(`${name} means something else to JavaScript in every object: give it another name`)
    const subject = member.kind === 'event' ? member.subject : member.nats && `${service}.${member.nats}`
    if (subject === undefined) continue
    const other = subjects.get(checkSubject(subject))
    if (other) throw refusal(`${other} and ${name} share the subject ${subject}`)
    subjects.set(subject, name)
  }
}
