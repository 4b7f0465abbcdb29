import assert from 'node:assert/strict'
import { Binary, type Document } from 'mongodb'
import type { CaseContext, Cases } from './case.ts'
import { accumulatorTable } from './tables/accumulators.ts'
import { arrayTable } from './tables/arrays.ts'
import { convertTable } from './tables/convert.ts'
import { dateArithmeticTable, datePartTable } from './tables/dates.ts'
import { logicTable } from './tables/logic.ts'
import { numericTable } from './tables/numeric.ts'
import { projectionTable } from './tables/projections.ts'
import { filterTable, none } from './tables/queries.ts'
import { setTable } from './tables/sets.ts'
import { stageTable } from './tables/stages.ts'
import { stringTable } from './tables/strings.ts'
import { updateTable } from './tables/updates.ts'
import { code, missing, outcome, shown, type Table } from './tables/values.ts'

const metaTable: Table = {
  $meta: [
    ['textScore', code(40218)],
    ['nope', code(17308)],
    [1, code(17307)],
    [new Binary(Buffer.from('a')), code(17307)],
  ],
}

/** The cases of every expression operator, by its name. */
export const expressionTable: Table = {
  ...{ ...logicTable, ...numericTable, ...stringTable, ...arrayTable, ...setTable },
  ...{ ...convertTable, ...datePartTable, ...dateArithmeticTable, ...metaTable },
}

/** The differences between what was expected of the rows of an operator, and what came. */
type Check<R> = (context: CaseContext, name: string, rows: R) => Promise<string[]>

const exact = { promoteValues: false, bsonRegExp: true } as const

function compared(row: readonly unknown[], got: string, expected: unknown): string[] {
  return got === shown(expected) ? [] : [`${row.map(part => shown(part)).join(' ')}: got ${got}`]
}

const checkExpression: Check<Table[string]> = async ({ collection }, name, rows) => {
  await collection.insertOne({ _id: 1 })
  const wrong: string[] = []
  for (const [argument, expected, doc = {}] of rows) {
    const pipeline = [{ $replaceWith: { $literal: doc } }, { $project: { _id: 0, v: { [name]: argument } } }]
    const got = await outcome(async () => {
      const [result = {}] = await collection.aggregate(pipeline, exact).toArray()
      return 'v' in result ? result.v : missing
    })
    wrong.push(...compared([argument, doc], got, expected))
  }
  return wrong
}

const checkFilter: Check<(typeof filterTable)[string]> = async ({ collection }, name, { values, rows }) => {
  if (name === '$text') await collection.createIndex({ v: 'text' })
  await collection.insertMany(values.map((v, _id) => (v === none ? { _id } : { _id, v })))
  const wrong: string[] = []
  for (const [filter, expected] of rows) {
    const got = await outcome(async () =>
      (await collection.find(filter).sort({ _id: 1 }).toArray()).map(doc => doc._id),
    )
    wrong.push(...compared([filter], got, expected))
  }
  return wrong
}

const checkUpdate: Check<(typeof updateTable)[string]> = async ({ collection }, _, rows) => {
  const wrong: string[] = []
  for (const [before, update, expected, filter = {}, options = {}] of rows) {
    await collection.deleteMany({})
    await collection.insertOne({ _id: 1, ...before })
    const got = await outcome(async () => {
      await collection.updateOne({ _id: 1, ...filter }, update, options)
      const { _id, ...after } = (await collection.findOne<Document>({}, exact)) ?? {}
      return after
    })
    wrong.push(...compared([before, update], got, expected))
  }
  return wrong
}

const checkProjection: Check<(typeof projectionTable)[string]> = async ({ collection }, _, rows) => {
  const wrong: string[] = []
  for (const [doc, projection, expected] of rows) {
    await collection.deleteMany({})
    await collection.insertOne({ _id: 1, ...doc })
    const got = await outcome(async () => {
      const { _id, ...rest } = (await collection.findOne<Document>({}, { ...exact, projection })) ?? {}
      return rest
    })
    wrong.push(...compared([doc, projection], got, expected))
  }
  return wrong
}

const checkAccumulator: Check<(typeof accumulatorTable)[string]> = async ({ collection }, name, rows) => {
  await collection.insertOne({ _id: 1 })
  const wrong: string[] = []
  for (const [docs, argument, expected] of rows) {
    const spread = [{ $replaceWith: { $literal: { docs } } }, { $unwind: '$docs' }, { $replaceWith: '$docs' }]
    const pipeline = [...spread, { $group: { _id: null, r: { [name]: argument } } }]
    const got = await outcome(async () => (await collection.aggregate(pipeline, exact).toArray())[0]?.r)
    wrong.push(...compared([docs, argument], got, expected))
  }
  return wrong
}

const checkStage: Check<(typeof stageTable)[string]> = async ({ collection }, name, rows) => {
  const wrong: string[] = []
  for (const [docs, argument, expected] of rows) {
    await collection.deleteMany({})
    if (docs.length > 0) await collection.insertMany(docs.map(doc => ({ ...doc })))
    const got = await outcome(() => collection.aggregate([{ [name]: argument }], exact).toArray())
    wrong.push(...compared([docs, argument], got, expected))
  }
  return wrong
}

function tableCases<R>(subject: string, table: Readonly<Record<string, R>>, check: Check<R>): Cases {
  const cases = Object.entries(table).map(
    ([name, rows]) =>
      [
        name,
        async (context: CaseContext) => {
          assert.deepEqual(await check(context, name, rows), [])
        },
      ] as const,
  )
  return { subject, cases: Object.fromEntries(cases) }
}

export const tables: readonly Cases[] = [
  tableCases('expression', expressionTable, checkExpression),
  tableCases('filter', filterTable, checkFilter),
  tableCases('projection', projectionTable, checkProjection),
  tableCases('update operator', updateTable, checkUpdate),
  tableCases('accumulator', accumulatorTable, checkAccumulator),
  tableCases('stage', stageTable, checkStage),
]
