import type { EventDefinition } from '../contract/index.ts'
import { type Check, type Checked, compiled, formatProblems, mayHaveNumbers } from '../schema/index.ts'

/** Reads the data of an event that was announced with a version; without one, it is taken for the current version. */
type ReadData = (announced: number | undefined, data: unknown) => Checked | Promise<Checked>

/** How a consumer reads an event. */
export interface EventReader {
  readonly read: ReadData
  /** Whether data of any version may contain numbers. */
  readonly numbers: boolean
}

/**
 * Compiles the reading of an event in all of its versions. Data of an older version is checked against that version's schema and passed
 * through the upcasts, one version at a time, each result being checked. Data of a newer version is read if it also matches the current
 * schema, without the fields that this does not name.
 * @throws {TypeError} if an upcast does not lead to a version that can be read
 */
export function compileReader({ subject, version, data, upcast = {} }: EventDefinition): EventReader {
  const refuse = (why: string): never => {
    throw new TypeError(`event ${subject}: ${why}`)
  }
  const current = compiled.request(data, 'ignore')
  const older = new Map<number, Step>()
  for (const [key, { data: schema, to }] of Object.entries(upcast)) {
    const from = Number(key)
    if (!(Number.isInteger(from) && from >= 1 && from < version))
      refuse(`upcast ${key} is not a version before its own, ${version}`)
    if (from + 1 < version && !Object.hasOwn(upcast, from + 1))
      refuse(`upcast ${key} leads to version ${from + 1}, which has no upcast`)
    if (typeof to !== 'function') refuse(`upcast ${key} lacks its function: to`)
    older.set(from, { check: compiled.request(schema, 'ignore'), to: to as Step['to'] })
  }

  const readOlder = async (announced: number, given: unknown): Promise<Checked> => {
    let value = given
    for (let from = announced; from < version; from++) {
      const { check, to } = older.get(from) ?? refuse(whyUnreadable(announced, version))
      const checked = await check(value)
      if (checked.problems)
        return refuse(`version ${from} does not match its schema: ${formatProblems(checked.problems)}`)
      value = to(checked.value)
    }
    const checked = await current(value)
    if (!checked.problems) return checked
    return refuse(
      `version ${announced}, upcast to ${version}, does not match its schema: ${formatProblems(checked.problems)}`,
    )
  }
  const readNewer = async (announced: number, given: unknown): Promise<Checked> => {
    const checked = await current(given)
    if (!checked.problems) return checked
    return refuse(
      `version ${announced} is newer than the ${version} that this service knows, and does not match it: ${formatProblems(checked.problems)}; deploy the consumer first`,
    )
  }
  return {
    read(announced, given) {
      if (announced === undefined || announced === version) return current(given)
      return announced < version ? readOlder(announced, given) : readNewer(announced, given)
    },
    numbers: [data, ...Object.values(upcast).map(each => each.data)].some(mayHaveNumbers),
  }
}

interface Step {
  readonly check: Check
  readonly to: (data: unknown) => unknown
}

function whyUnreadable(announced: number, version: number): string {
  return `version ${announced} cannot be read any longer: give version ${version} an upcast from ${announced}`
}
