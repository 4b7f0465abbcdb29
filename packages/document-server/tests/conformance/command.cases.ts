import assert from 'node:assert/strict'
import { type Cases, refuses } from './case.ts'

export const commandCases: Cases = {
  subject: 'commands',
  cases: {
    'ping, hello and buildInfo': async ({ db }) => {
      assert.equal((await db.command({ ping: 1 })).ok, 1)
      const hello = await db.command({ hello: 1 })
      assert.deepEqual([hello.isWritablePrimary, hello.maxBsonObjectSize], [true, 16_777_216])
      assert.match((await db.command({ buildInfo: 1 })).version, /^\d+\.\d+\.\d+/)
    },
    'an unknown command is refused with 59, and the error names it': async ({ db }) => {
      const error = await refuses(59, db.command({ noSuchThing: 1 }))
      assert.match(error.message, /no such command: 'noSuchThing'/)
      assert.equal(error.codeName, 'CommandNotFound')
    },
    'an unknown option is refused with 40415, and the error names it': async ({ db, collection }) => {
      const error = await refuses(40415, db.command({ find: collection.collectionName, bogus: 1 }))
      assert.match(error.message, /bogus/)
      await refuses(40415, db.command({ update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } }, bogus: 1 }] }))
    },
    'an option of the wrong type is refused with 14': async ({ db }) => {
      await refuses(14, db.command({ find: 'c', filter: 'x' }))
      await refuses(14, db.command({ find: 'c', limit: 'x' }))
    },
    'collections are created, listed and dropped': async ({ db, collection }) => {
      const name = collection.collectionName
      await db.createCollection(name)
      const [info] = await db.listCollections({ name }).toArray()
      assert.deepEqual([info?.name, info?.type], [name, 'collection'])
      assert.deepEqual(await db.listCollections({ name }, { nameOnly: true }).toArray(), [{ name, type: 'collection' }])
      assert.equal(await collection.drop(), true)
      assert.deepEqual(await db.listCollections({ name }).toArray(), [])
    },
    'databases are listed and dropped': async ({ client, db, collection }) => {
      await collection.insertOne({ a: 1 })
      const { databases } = await client.db().admin().listDatabases({ nameOnly: true })
      assert.ok(databases.some(({ name }) => name === db.databaseName))
      const other = client.db(`${db.databaseName}_other`)
      await other.collection('c').insertOne({ a: 1 })
      await other.dropDatabase()
      assert.deepEqual(await other.collections(), [])
    },
    'invalid names are refused': async ({ db }) => {
      await refuses(73, db.command({ insert: 'a$b', documents: [{ a: 1 }] }))
      await refuses(73, db.command({ insert: '', documents: [{ a: 1 }] }))
    },
    'sessions are accepted and ended': async ({ client, collection }) => {
      await client.withSession(async session => {
        await collection.insertOne({ _id: 1 }, { session })
        assert.deepEqual(await collection.findOne({}, { session }), { _id: 1 })
      })
    },
  },
}
