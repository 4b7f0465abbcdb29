import { contractOf, type ServiceOptions } from './options.ts'
import { contractSpecifier, type Places, specifier } from './places.ts'

/** The test of a service, and what starts the service in tests. */
export function testFiles(options: ServiceOptions, places: Places): Readonly<Record<string, string>> {
  const { name, store } = options
  const contract = contractOf(name)
  const path = `${places.tests}/${name}.test.ts`
  const [from, start] = [contractSpecifier(options, places, path), specifier(path, places.testing)]
  const error = store === undefined ? 'NAME_NOT_WELCOME' : 'ITEM_UNKNOWN'
  const names = store === undefined ? `${contract}, ${error}` : `${error}, ${contract}`
  const body =
    store === undefined
      ? `test('greets at both doors, but not everybody', async t => {
  const app = await startService(t)
  assert.deepEqual(await app.http(${contract}).greet({ name: 'Ada' }), { text: 'Hello, Ada!' })
  assert.deepEqual(await app.nats(${contract}).greet({ name: 'Grace' }), { text: 'Hello, Grace!' })
  await assert.rejects(app.http(${contract}).greet({ name: 'Mallory' }), NAME_NOT_WELCOME)
})
`
      : `test('an item that was added at one door is found at the other', async t => {
  const app = await startService(t)
  const added = await app.http(${contract}).add({ title: 'A first one' })
  assert.deepEqual(await app.nats(${contract}).find({ id: added.id }), added)
  await assert.rejects(app.http(${contract}).find({ id: randomUUID() }), ITEM_UNKNOWN)
})
`
  return {
    [places.testing]: testingFile(options, places),
    [path]: `import assert from 'node:assert/strict'
${store === undefined ? '' : "import { randomUUID } from 'node:crypto'\n"}import { test } from 'node:test'
import { ${names} } from '${from}'
import { startService } from '${start}'

${body}`,
  }
}

function testingFile({ store }: ServiceOptions, places: Places): string {
  const module = specifier(places.testing, places.module)
  const head = "import type { TestContext } from 'node:test'\n"
  const testing = "import { type TestApp, testService } from 'tsmicro/testing'\n"
  const own = `import { createModule } from '${module}'\n`
  if (store === undefined)
    return `${head}${testing}${own}
/** The service with both doors, until the test ends. */
export async function startService(t: TestContext): Promise<TestApp> {
  const app = await testService(createModule)
  t.after(() => app.close())
  return app
}
`
  const { start, imported, types, part } = {
    postgres: {
      start: 'startPostgres',
      imported: "import { createPostgres } from 'tsmicro/postgres'\n",
      types: `import type { Tables } from '${specifier(places.testing, places.database)}'\n`,
      part: 'postgres: createPostgres<Tables>({ url: server.url })',
    },
    mongo: {
      start: 'startDocuments',
      imported: "import { createMongo } from 'tsmicro/mongo'\n",
      types: '',
      part: "mongo: createMongo({ url: server.url, database: 'test' })",
    },
  }[store]
  return `${head}import { ${start} } from '@tsmicro/infra'
${imported}${testing}${types}${own}
/** The service with both doors and an empty database, until the test ends. */
export async function startService(t: TestContext): Promise<TestApp> {
  const server = await ${start}({ ephemeral: true })
  let app: TestApp | undefined
  t.after(async () => {
    await app?.close()
    await server.stop()
  })
  app = await testService(parts => createModule({ ...parts, ${part} }))
  return app
}
`
}
