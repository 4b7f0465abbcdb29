import { ABANDONED, type Databases } from './world.ts'

/** By aggregate, such as `account.changed a1`: keys in their order. */
type Keyed = ReadonlyMap<string, readonly string[]>

export interface Ledgers {
  readonly changes: Keyed
  /** Of each handler. */
  readonly effects: Readonly<Record<'rows' | 'documents', Keyed>>
}

export async function readLedgers({ postgres, pages, effects }: Databases): Promise<Ledgers> {
  const table = async (name: 'accounts' | 'effects', prefix: string) =>
    (await postgres.db.selectFrom(name).selectAll().execute()).map(
      ({ id, keys }) => [prefix + id, keys.trimEnd().split('\n')] as const,
    )
  const accounts = await table('accounts', 'account.changed ')
  const changed = (await pages.find({})).map(({ _id, keys }) => [`page.changed ${_id}`, keys] as const)
  const rows = await table('effects', '')
  const documents = (await effects.find({})).map(({ _id, keys }) => [_id, keys] as const)
  return {
    changes: new Map([...accounts, ...changed]),
    effects: { rows: new Map(rows), documents: new Map(documents) },
  }
}

const countOf = (keyed: Keyed): number => [...keyed.values()].reduce((sum, { length }) => sum + length, 0)

export const totalsOf = ({ changes, effects: { rows, documents } }: Ledgers): string =>
  `changes committed: ${countOf(changes)}; effects in PostgreSQL: ${countOf(rows)}, in documents: ${countOf(documents)}`

/** What is wrong. @param acknowledged keys of changes whose commit was answered */
export function findingsOf({ changes, effects }: Ledgers, acknowledged: ReadonlySet<string>): readonly string[] {
  const all = new Set([...changes.values()].flat())
  return [
    ...[...acknowledged.difference(all)].map(key => `${key}: was committed, and is gone`),
    ...[...all].filter(key => key.startsWith(ABANDONED)).map(key => `${key}: was rolled back, and is there`),
    ...compared(changes, effects.rows).map(finding => `in PostgreSQL, ${finding}`),
    ...compared(changes, effects.documents).map(finding => `in documents, ${finding}`),
  ]
}

function compared(changes: Keyed, effects: Keyed): string[] {
  return [...new Set([...changes.keys(), ...effects.keys()])].flatMap(aggregate => {
    const [wanted, found] = [changes.get(aggregate) ?? [], effects.get(aggregate) ?? []]
    const [all, once] = [new Set(wanted), new Set(found)]
    const [expected, got] = [wanted.filter(key => once.has(key)), [...once].filter(key => all.has(key))]
    return [
      ...[...all.difference(once)].map(key => `${aggregate}: ${key} is lost`),
      ...found.filter((key, at) => found.indexOf(key) !== at).map(key => `${aggregate}: ${key} is doubled`),
      ...[...once.difference(all)].map(key => `${aggregate}: ${key} was never committed`),
      ...(got.some((key, at) => key !== expected[at]) ? [`${aggregate}: effects are out of order`] : []),
    ]
  })
}
