import type { BoundProcedure, Contract, EventDefinition } from 'tsmicro/contract'
import {
  describeSchema,
  eventsOf,
  exampleOf,
  fieldsOfInput,
  fileOfOutput,
  hasNoBody,
  isStream,
  jsonOfOutput,
  kindOfBody,
  nameOfAccess,
  needsUser,
  parseRoute,
  proceduresOf,
  uploadOfInput,
} from 'tsmicro/internal'
import type { Catalogue, EventEntry, JsonSchema, ProcedureEntry, ServiceEntry, SignIn } from './catalogue-types.ts'

type Schema = Parameters<typeof describeSchema>[0]

const INTERNAL = 'Only other services may call it.'
const NEEDS_GATEWAY = 'Whether an API key may change something, only the gateway can say: call it over HTTP.'

/** What the page shows of some contracts. @param modules the contracts of each module, whose events belong to one service */
export function catalogueOf(
  modules: readonly (readonly Contract[])[],
  { hasGateway, signIn }: { readonly hasGateway: boolean; readonly signIn?: SignIn | undefined },
): Catalogue {
  const services = new Map<string, { procedures: ProcedureEntry[]; events: EventEntry[] }>()
  for (const contracts of modules) {
    const procedures = contracts.flatMap(proceduresOf)
    const events = contracts.flatMap(eventsOf)
    const owner = procedures[0]?.service ?? events[0]?.subject.split('.', 1)[0]
    if (owner === undefined) continue
    for (const procedure of procedures)
      serviceOf(procedure.service).procedures.push(procedureEntry(procedure, hasGateway))
    serviceOf(owner).events.push(...events.map(eventEntry))
  }
  const entries: ServiceEntry[] = [...services].map(([name, members]) => ({ name, ...members }))
  return { services: entries, hasGateway, signIn }

  function serviceOf(name: string) {
    const known = services.get(name) ?? { procedures: [], events: [] }
    services.set(name, known)
    return known
  }
}

/** Why the explorer does not call a procedure over NATS; undefined if it does. */
export function natsRefusalOf({ access, http }: BoundProcedure, hasGateway: boolean): string | undefined {
  if (access === 'internal') return INTERNAL
  const changes = http !== undefined && parseRoute(http).method !== 'GET'
  return access === 'key' && changes && hasGateway ? NEEDS_GATEWAY : undefined
}

function procedureEntry(procedure: BoundProcedure, hasGateway: boolean): ProcedureEntry {
  const { service, name, summary, access, input, output, errors = {}, subject } = procedure
  const fields = fieldsOfInput(input)
  const described = fields && describe(fields)
  const answer = isStream(output) ? 'stream' : fileOfOutput(output) ? 'file' : 'json'
  const data = isStream(output) ? output.item : jsonOfOutput(output)
  return {
    ...{ id: `${service}.${name}`, name, summary, access: nameOfAccess(access), needsUser: needsUser(access), answer },
    http: httpDoor(procedure, hasGateway),
    nats: subject === undefined ? undefined : { subject, refused: natsRefusalOf(procedure, hasGateway) },
    input: described,
    example: described && exampleOf(described),
    files: filesOf(procedure),
    output: data && describe(data),
    errors: Object.values(errors).map(({ code, status, message, dataSchema }) => ({
      ...{ code, status, message },
      data: dataSchema === undefined ? undefined : describe(dataSchema as Schema),
    })),
  }
}

function httpDoor({ service, http, access, input }: BoundProcedure, hasGateway: boolean): ProcedureEntry['http'] {
  if (http === undefined) return undefined
  const { method, path, params, query } = parseRoute(http)
  const kind = kindOfBody(input)
  const body = kind === 'file' ? 'file' : kind === 'upload' ? 'form' : hasNoBody(method) || !input ? 'none' : 'json'
  const publicPath = hasGateway ? `/${service}${path}` : path
  const refused = access === 'internal' ? INTERNAL : undefined
  return { method, path, publicPath, params, query, body, refused }
}

function filesOf({ input }: BoundProcedure): ProcedureEntry['files'] {
  const upload = uploadOfInput(input)
  if (!upload) return []
  const one = { isOptional: false, isMultiple: false }
  if (!('files' in upload)) return [{ name: 'file', types: upload.types, ...one }]
  return Object.entries(upload.files).map(([name, { types = [], optional, maxCount }]) => ({
    ...{ name, types, isOptional: optional === true, isMultiple: maxCount !== undefined },
  }))
}

function eventEntry({ subject, version, aggregate, summary, data }: EventDefinition): EventEntry {
  return { subject, version, aggregate, summary, data: describe(data) }
}

const describe = (schema: Schema): JsonSchema => describeSchema(schema) as JsonSchema
