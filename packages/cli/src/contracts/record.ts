import type { BoundProcedure, EventDefinition, Role } from 'tsmicro/contract'
import {
  BODY,
  contractsIn,
  describeSchema,
  eventsOf,
  isNode,
  isRole,
  type JsonSchema,
  mapSubschemas,
  nameOfAccess,
  proceduresOf,
  roleBesideOwner,
  statusesOf,
} from 'tsmicro/internal'
import { CliError } from '../errors.ts'

type Schema = Parameters<typeof describeSchema>[0]

/** What a module's contracts promise, as it is kept in a file. What has its default is left out. */
export interface Recorded {
  /** The roles that the module declares, lowest first. */
  readonly roles: readonly string[]
  /** By service and name: `auth.signUp`. */
  readonly procedures: Readonly<Record<string, RecordedProcedure>>
  /** By subject. */
  readonly events: Readonly<Record<string, RecordedEvent>>
  /** The breaks that were wanted. */
  readonly breaks: readonly RecordedBreak[]
}

export interface RecordedProcedure {
  readonly http?: string
  /** The whole subject. */
  readonly nats?: string
  /** `open`, `key`, `user`, `internal`, the name of a role, or `owner or ROLE`. */
  readonly access: string
  readonly input?: RecordedBody
  readonly output?: RecordedBody
  readonly errors?: Readonly<Record<string, RecordedError>>
  /** The statuses of success that are possible. Default 200. */
  readonly status?: readonly number[]
  readonly headers?: readonly string[]
  readonly cookies?: readonly string[]
  readonly bare?: true
  readonly idempotent?: true
  readonly idempotencyKey?: true | 'required'
  readonly bodyLimitBytes?: number
}

/** A schema, or what is not one JSON value. */
export type RecordedBody = JsonSchema | RecordedFile | RecordedUpload | RecordedStream

export interface RecordedFile {
  /** Media types. */
  readonly file: readonly string[]
  readonly maxBytes: number
  readonly fields?: JsonSchema
}

export interface RecordedUpload {
  readonly upload: Readonly<Record<string, FileRule>>
  readonly fields?: JsonSchema
}

export interface FileRule {
  readonly types?: readonly string[]
  readonly maxBytes?: number
  readonly maxCount?: number
  readonly optional?: boolean
}

export interface RecordedStream {
  readonly stream: JsonSchema
  /** The field that identifies an item. */
  readonly id?: string
}

export interface RecordedError {
  readonly status: number
  readonly data?: JsonSchema
}

export interface RecordedEvent {
  readonly aggregate: string
  readonly version: number
  /** The data of each version that consumers can read. */
  readonly versions: Readonly<Record<string, JsonSchema>>
}

export interface RecordedBreak {
  /** The name of the procedure or event, and what changed. */
  readonly name: string
  readonly change: string
  readonly reason: string
}

/**
 * The recorded form of everything that a module exports.
 * @throws CliError if two procedures or events have one name
 */
export function recordOf(exported: object, breaks: readonly RecordedBreak[]): Recorded {
  const contracts = contractsIn(exported)
  const procedures = contracts.flatMap(proceduresOf)
  const roles = Object.values(exported).flatMap(value => (isNode(value) && declaresRoles(value) ? value.names : []))
  return {
    roles,
    procedures: byName(procedures.map(each => [`${each.service}.${each.name}`, recordedProcedure(each)])),
    events: byName(contracts.flatMap(eventsOf).map(each => [each.subject, recordedEvent(each)])),
    breaks,
  }
}

/** The rank of each role that a module declares or uses. */
export function ranksOf(exported: object): ReadonlyMap<string, number> {
  const declared = Object.values(exported)
    .filter(isNode)
    .filter(declaresRoles)
    .flatMap(({ names }) => names.map((name, rank) => [name, rank] as const))
  const used = contractsIn(exported)
    .flatMap(proceduresOf)
    .map(({ access }) => (isRole(access) ? access : roleBesideOwner(access)))
    .filter(role => role !== undefined)
  return new Map([...used.map(({ role, rank }: Role) => [role, rank] as const), ...declared])
}

function declaresRoles(value: object): value is { readonly names: readonly string[] } {
  return 'names' in value && Array.isArray(value.names) && 'satisfies' in value
}

/** Sorted, so that a file changes only where its contracts do. */
function byName<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  const known = new Map<string, string>()
  for (const [name, value] of entries) {
    const text = JSON.stringify(value)
    // A contract may take procedures from another.
    if ((known.get(name) ?? text) !== text)
      throw new CliError(`two members of the contracts are called ${name}: rename one`)
    known.set(name, text)
  }
  return sorted(entries)
}

function recordedProcedure(procedure: BoundProcedure): RecordedProcedure {
  const { http, subject, access, input, output, errors = {}, headers, cookies, bare, idempotent } = procedure
  const { bodyLimitBytes, idempotencyKey } = procedure
  const statuses = statusesOf(procedure)
  const failures = Object.values(errors).map(({ code, status, dataSchema }): [string, RecordedError] => [
    code,
    { status, ...(dataSchema === undefined ? {} : { data: plain(dataSchema as Schema) }) },
  ])
  return {
    ...(http === undefined ? {} : { http }),
    ...(subject === undefined ? {} : { nats: subject }),
    access: nameOfAccess(access),
    ...(statuses.join() === '200' ? {} : { status: statuses }),
    ...(headers ? { headers: Object.keys(headers).sort() } : {}),
    ...(cookies ? { cookies: Object.keys(cookies).sort() } : {}),
    ...(bare ? { bare } : {}),
    ...(idempotent ? { idempotent } : {}),
    ...(idempotencyKey ? { idempotencyKey } : {}),
    ...(bodyLimitBytes === undefined ? {} : { bodyLimitBytes }),
    ...(input ? { input: recordedBody(input) } : {}),
    ...(output ? { output: recordedBody(output) } : {}),
    ...(failures.length > 0 ? { errors: byName(failures) } : {}),
  }
}

function recordedEvent({ aggregate, version, data, upcast = {} }: EventDefinition): RecordedEvent {
  const older = Object.entries(upcast).map(([number, { data }]) => [number, plain(data)])
  return { aggregate, version, versions: Object.fromEntries([...older, [version, plain(data)]]) }
}

type Declared = NonNullable<BoundProcedure['input'] | BoundProcedure['output']>

function recordedBody(declared: Declared): RecordedBody {
  if (!(BODY in declared)) return plain(declared)
  if (declared[BODY] === 'stream')
    return { stream: plain(declared.item), ...(declared.id === undefined ? {} : { id: declared.id }) }
  const fields = declared.fields ? { fields: plain(declared.fields) } : {}
  if (declared[BODY] === 'upload') return { upload: byName(Object.entries(declared.files)), ...fields }
  return { file: declared.types, maxBytes: declared.maxBytes, ...fields }
}

/** For people alone. */
const TEXTS = ['title', 'description', 'examples', '$comment', 'deprecated']

/** A schema as data, without texts for people, its keywords and fields sorted. */
function plain(schema: Schema): JsonSchema {
  return stripped(describeSchema(schema))
}

function stripped(node: JsonSchema): JsonSchema {
  const members = Object.entries(mapSubschemas(node, stripped))
  return sorted(
    members
      .filter(([keyword]) => !TEXTS.includes(keyword))
      .map(([keyword, member]) => [keyword, inOrder(keyword, member)]),
  )
}

function inOrder(keyword: string, member: unknown): unknown {
  if (keyword === 'required' && Array.isArray(member)) return member.toSorted()
  const isMap = ['properties', 'patternProperties', '$defs', 'definitions'].includes(keyword)
  return isMap && isNode(member) ? sorted(Object.entries(member)) : member
}

function sorted<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** The text of the file: what fits on a line is on one, so that a change is a line or two. */
export function textOf(recorded: Recorded): string {
  return `${written(recorded, '')}\n`
}

function written(value: unknown, indent: string): string {
  const line = JSON.stringify(value)
  if (typeof value !== 'object' || value === null || (line.length < 100 - indent.length && indent !== '')) return line
  const inner = `${indent}  `
  const members = Array.isArray(value)
    ? value.map(each => written(each, inner))
    : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${written(each, inner)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  return `${open}\n${members.map(each => inner + each).join(',\n')}\n${indent}${close}`
}
