import type { JsonSchema } from 'tsmicro/internal'
import { procedureChanged, type Ranks } from './procedures.ts'
import type { Recorded, RecordedEvent } from './record.ts'
import { type Change, type Found, inputChanged, outputChanged } from './schemas.ts'

/** Compares contracts with their recorded form, whose callers, consumers and stored events are still there. */
export function changesOf(before: Recorded, after: Recorded, ranks: Ranks): readonly Change[] {
  return [
    ...rolesChanged(before.roles, after.roles),
    ...pairs('procedure', before.procedures, after.procedures, (one, other) => procedureChanged(one, other, ranks)),
    ...pairs('event', before.events, after.events, eventChanged),
  ]
}

function pairs<T>(
  kind: string,
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  compare: (before: T, after: T) => Found,
): readonly Change[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((name): readonly Change[] => {
    const [one, other] = [before[name], after[name]]
    if (one === undefined) return [{ name, what: `is a new ${kind}` }]
    if (other === undefined)
      return [{ name, what: `the ${kind} is removed`, instead: 'keep it while somebody uses it' }]
    return compare(one, other).map(found => ({ name, ...found }))
  })
}

function rolesChanged(before: readonly string[], after: readonly string[]): readonly Change[] {
  const removed = before.filter(role => !after.includes(role))
  const kept = before.filter(role => after.includes(role))
  const order = after.filter(role => kept.includes(role))
  return [
    ...removed.map(name => ({ name, what: 'the role is removed', instead: 'keep it while somebody has it' })),
    ...(kept.join() === order.join()
      ? []
      : [{ name: 'roles', what: `their order is ${order.join(' < ')}`, instead: `keep ${kept.join(' < ')}` }]),
    ...after.filter(role => !before.includes(role)).map(name => ({ name, what: 'is a new role' })),
  ]
}

function eventChanged(before: RecordedEvent, after: RecordedEvent): Found {
  if (before.aggregate !== after.aggregate) {
    const what = `its aggregate is ${after.aggregate} instead of ${before.aggregate}: stored events have another order`
    return [{ what, instead: 'declare another event' }]
  }
  if (after.version < before.version) {
    const what = `its version is ${after.version}, after ${before.version}`
    return [{ what, instead: `make it ${before.version + 1}` }]
  }
  const stored = Object.entries(before.versions).flatMap(([version, data]) => storedChanged(version, data, after))
  const [was, now] = [before.versions[before.version], after.versions[after.version]]
  const breaks = stored.filter(({ instead }) => instead !== undefined)
  if (after.version === before.version && was && now) {
    const announced = outputChanged('data', was, now, JOURNEY, withVersion(after.version))
    return breaks.length > 0 ? [...breaks, ...announced.filter(({ instead }) => instead !== undefined)] : announced
  }
  const what = `version ${after.version} is new, and ${before.version} is read through its upcast: deploy consumers first`
  return breaks.length > 0 ? breaks : [{ what }]
}

const JOURNEY = { unknownFields: 'ignore', defaults: 'filled' } as const

const withVersion = (version: number) => `make it version ${version + 1}, with an upcast from ${version}`

/** Consumers read what was announced before. */
function storedChanged(version: string, data: JsonSchema, after: RecordedEvent): Found {
  const read = after.versions[version]
  if (!read) {
    const what = `version ${version} is still stored, and can no longer be read`
    return [{ what, instead: `give it an upcast from ${version}` }]
  }
  const isCurrent = Number(version) === after.version
  const others = isCurrent ? withVersion(after.version) : `keep the schema of upcast ${version}`
  const absent = isCurrent ? `make it optional or give it a default, or ${others}` : others
  const part = isCurrent ? 'stored data' : `stored data of version ${version}`
  return inputChanged(part, data, read, JOURNEY, { absent, others })
}
