import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { MongoClient } from 'mongodb'
import { embeddedTarget, findReal, type Target } from '../support/target.ts'
import { aggregateCases } from './aggregate.cases.ts'
import type { CaseContext, Cases } from './case.ts'
import { commandCases } from './command.cases.ts'
import { cursorCases } from './cursor.cases.ts'
import { indexCases } from './index.cases.ts'
import { queryCases } from './query.cases.ts'
import { tables } from './table.cases.ts'
import { textCases } from './text.cases.ts'
import { typeCases } from './type.cases.ts'
import { updateCases } from './update.cases.ts'
import { writeCases } from './write.cases.ts'

const all: readonly Cases[] = [
  writeCases,
  queryCases,
  updateCases,
  indexCases,
  aggregateCases,
  textCases,
  cursorCases,
  typeCases,
  commandCases,
  ...tables,
]

function conformance(name: string, start: () => Promise<Target>): void {
  describe(`conformance: ${name}`, () => {
    const database = `conformance_${randomUUID().slice(0, 8)}`
    let target: Target
    let client: MongoClient
    before(async () => {
      target = await start()
      client = await new MongoClient(target.url).connect()
    })
    after(async () => {
      await client.db(database).dropDatabase()
      await client.close()
      await target[Symbol.asyncDispose]()
    })
    for (const { subject, cases } of all)
      for (const [title, run] of Object.entries(cases))
        test(`${subject}: ${title}`, async () => {
          const db = client.db(database)
          const context: CaseContext = { client, db, collection: db.collection(`c_${randomUUID().slice(0, 8)}`) }
          await run(context)
        })
  })
}

conformance('embedded document server', embeddedTarget)

const real = findReal()
if (real) conformance('real MongoDB', real)
else
  test('conformance: real MongoDB', { skip: 'neither MONGODB_URL is set nor is a mongod on the PATH' }, () => undefined)
