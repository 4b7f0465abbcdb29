import { hasNoBody, parseRoute } from 'tsmicro/internal'
import { answerChanged, bodyTaken, jsonAnswered, KEEP } from './bodies.ts'
import type { RecordedError, RecordedProcedure } from './record.ts'
import type { Found } from './schemas.ts'

/** The rank of each role today. */
export type Ranks = ReadonlyMap<string, number>

const NO_LIMIT = Number.POSITIVE_INFINITY

/** Callers of the procedure as it is recorded are still there. */
export function procedureChanged(before: RecordedProcedure, after: RecordedProcedure, ranks: Ranks): Found {
  const errors = Object.entries(before.errors ?? {}).flatMap(([code, error]) =>
    errorChanged(code, error, after.errors?.[code]),
  )
  return [
    ...doorChanged('HTTP door', routeOf(before), routeOf(after)),
    ...doorChanged('NATS door', before.nats, after.nats),
    ...accessChanged(before, after, ranks),
    ...bodyTaken(before, after),
    ...answerChanged(before.output, after.output),
    ...errors,
    ...newErrors(before, after),
    ...settingsChanged(before, after),
  ]
}

/** A parameter of the path counts by its place; its name is that of a field of the input. */
function routeOf({ http }: RecordedProcedure): string | undefined {
  if (http === undefined) return undefined
  const { method, path, query } = parseRoute(http)
  const inQuery = hasNoBody(method) || query.length === 0 ? '' : `?${query.toSorted().join('&')}`
  return `${method} ${path.replaceAll(/\/:[^/]+/g, '/:')}${inQuery}`
}

function doorChanged(door: string, before: string | undefined, after: string | undefined): Found {
  if (before === after) return []
  if (before === undefined) return [{ what: `has a new ${door}, ${after}` }]
  if (after === undefined) return [{ what: `no longer has its ${door}, ${before}`, instead: 'keep it' }]
  return [{ what: `its ${door} is ${after} instead of ${before}`, instead: KEEP }]
}

function accessChanged(before: RecordedProcedure, after: RecordedProcedure, ranks: Ranks): Found {
  if (before.access === after.access) return []
  const what = `its access is ${after.access} instead of ${before.access}`
  if (!isNarrower(before, after, ranks)) return [{ what: `${what}: nobody loses it` }]
  return [{ what: `${what}: some callers are refused`, instead: KEEP }]
}

const WORDS = ['open', 'key', 'user']
const OWNER = 'owner or '

function isNarrower(before: RecordedProcedure, after: RecordedProcedure, ranks: Ranks): boolean {
  const level = ({ access }: RecordedProcedure) => {
    const word = WORDS.indexOf(access)
    // A role that is unknown today cannot be compared, which NaN says. Beside owners, it lets a few more in.
    const rank = ranks.get(access.replace(OWNER, '')) ?? Number.NaN
    return word === -1 ? WORDS.length + rank - (access.startsWith(OWNER) ? 0.5 : 0) : word
  }
  const isInternal = ({ access }: RecordedProcedure) => access === 'internal'
  if (before.access.startsWith(OWNER) && ranks.has(after.access)) return true
  // Services need no key: over NATS, only a user makes a difference.
  const among = (each: RecordedProcedure) => (isInternal(each) ? 1 : Math.max(1, level(each)))
  if (before.nats !== undefined && !(among(after) <= among(before))) return true
  if (before.http === undefined) return false
  if (isInternal(before) || isInternal(after)) return after.access !== 'open'
  return !(level(after) <= level(before))
}

function resultChanged(part: string, before: RecordedError['data'], after: RecordedError['data']): Found {
  if (before === undefined) return after ? [{ what: `${part} is new: those who do not know it drop it` }] : []
  if (after === undefined) return [{ what: `${part} is removed`, instead: KEEP }]
  return jsonAnswered(part, before, after)
}

function errorChanged(code: string, before: RecordedError, after: RecordedError | undefined): Found {
  if (!after) return [{ what: `error ${code} is removed`, instead: 'keep it declared as long as callers handle it' }]
  const what = `error ${code} has status ${after.status} instead of ${before.status}`
  return [
    ...(after.status === before.status ? [] : [{ what, instead: `keep it, or declare another error` }]),
    ...resultChanged(`data of error ${code}`, before.data, after.data),
  ]
}

/** Not a break: every call may fail, and callers tell failures that they do not know by their status. */
function newErrors(before: RecordedProcedure, { errors = {} }: RecordedProcedure): Found {
  return Object.entries(errors)
    .filter(([code]) => before.errors?.[code] === undefined)
    .map(([code, { status }]) => ({ what: `error ${code} is new: those who do not know it see its status, ${status}` }))
}

function settingsChanged(before: RecordedProcedure, after: RecordedProcedure): Found {
  const found: Found[number][] = []
  const [were, are] = [before.status ?? [200], after.status ?? [200]]
  const added = are.filter(status => !were.includes(status))
  if (added.length > 0)
    found.push({ what: `its status may be ${added.join(' or ')} instead of ${were.join(' or ')}`, instead: KEEP })
  else if (are.join() !== were.join())
    found.push({ what: `its status is ${are.join(' or ')}, which it might be before` })
  for (const part of ['headers', 'cookies'] as const) {
    const [had, has] = [before[part] ?? [], after[part] ?? []]
    const [gone, fresh] = [had.filter(name => !has.includes(name)), has.filter(name => !had.includes(name))]
    if (gone.length > 0) found.push({ what: `it no longer sets the ${part} ${gone.join(', ')}`, instead: KEEP })
    if (fresh.length > 0) found.push({ what: `it may set the ${part} ${fresh.join(', ')}` })
  }
  if (before.bare !== after.bare)
    found.push({ what: `it answers ${after.bare ? 'without' : 'in'} the envelope now`, instead: KEEP })
  if (before.idempotent && !after.idempotent)
    found.push({ what: 'it is no longer idempotent: callers may still repeat it', instead: KEEP })
  if (!before.idempotent && after.idempotent) found.push({ what: 'it is idempotent now' })
  const [key, keyNow] = [before.idempotencyKey, after.idempotencyKey]
  if (key !== keyNow && (!keyNow || keyNow === 'required'))
    found.push({ what: `its Idempotency-Key is ${keyNow ? 'required now' : 'no longer looked at'}`, instead: KEEP })
  else if (key !== keyNow) found.push({ what: 'its Idempotency-Key may be sent, and may be left out' })
  const [most, mostNow] = [before.bodyLimitBytes ?? NO_LIMIT, after.bodyLimitBytes ?? NO_LIMIT]
  if (mostNow < most) found.push({ what: `it takes no more than ${mostNow} bytes now`, instead: KEEP })
  if (mostNow > most) found.push({ what: 'it takes larger bodies now' })
  return found
}
