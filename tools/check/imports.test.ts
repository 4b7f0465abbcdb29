import assert from 'node:assert/strict'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fixture } from './fixture.ts'
import { imports } from './imports.ts'
import { lint } from './installed.ts'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const SRC = 'packages/tsmicro/src'

const SOUND: Readonly<Record<string, string>> = {
  [`${SRC}/contract/quoting.ts`]:
    "// import { x } from '../micro/index.ts'\nexport const x = `\nimport y from '../micro/index.ts'\n`",
  [`${SRC}/contract/sound.ts`]: "export { a } from '../errors/index.ts'",
  [`${SRC}/index.ts`]: "export { a } from './errors/index.ts'",
  [`${SRC}/auth/tokens/sound.ts`]: "export { k } from '../keys/key.ts'\nexport { a } from '../../errors/index.ts'",
  [`${SRC}/auth/keys/key.ts`]: 'export const k = 1',
  [`${SRC}/nats/wire/sound.ts`]: "export { k } from '../client/key.ts'",
  [`${SRC}/nats/client/key.ts`]: 'export const k = 1',
  [`${SRC}/errors/sound.test.ts`]: "export { x } from '../micro/index.ts'\nexport { y } from '../../tests/y.ts'",
  [`${SRC}/http/sound.ts`]: "import fastify, { type Fastify } from 'fastify'\nexport const x: Fastify = fastify",
  'contracts/one/src/sound.ts': "export { procedure } from 'tsmicro/contract'\nexport { Type } from 'typebox'",
  'services/one/src/startup/sound.ts':
    "export { createPostgres } from 'tsmicro/postgres'\nexport { NatsClient } from 'tsmicro'",
  'services/one/src/api/u/sound-repository.ts':
    "import { type Database, isUniqueViolation } from 'tsmicro/postgres'\nexport const x = (d: Database) => isUniqueViolation(d)",
  'services/one/src/api/u/sound.ts': "import type { Cache } from 'tsmicro/cache'\nexport type X = Cache",
  'services/one/src/api/s/model.ts': "import type { Database } from 'tsmicro/postgres'\nexport type X = Database",
  'services/one/tests/sound.test.ts':
    "export { startNats } from '@tsmicro/infra'\nexport { createPostgres } from 'tsmicro/postgres'\nexport { x } from '../src/api/u/sound.ts'",
  'packages/gateway/src/sound.ts': "export { x } from 'tsmicro/internal/time'",
  'tests/sound.test.ts': "export { x } from 'tsmicro/internal'",
  'kong/plugins/one/sound.ts': "export { decode } from 'cjson.safe'",
}

/** Each file breaks one rule, and is found by that rule alone. */
const PLANTED: readonly (readonly [what: string, path: string, code: string, finding: RegExp])[] = [
  [
    'errors imports another folder',
    `${SRC}/errors/p1.ts`,
    "export { x } from '../contract/index.ts'",
    /errors may import nothing/,
  ],
  [
    'contract imports http',
    `${SRC}/contract/p2.ts`,
    "export { x } from '../http/index.ts'",
    /contract may import \{errors,schema\}/,
  ],
  [
    'a type goes the wrong way',
    `${SRC}/nats/p3.ts`,
    "import type { X } from '../micro/index.ts'\nexport type Y = X",
    /nats.* may import/,
  ],
  ['http imports nats', `${SRC}/http/p4.ts`, "export { x } from '../nats/index.ts'", /http.* may import/],
  ['nats imports the HTTP client', `${SRC}/nats/p4.ts`, "export { x } from '../client/index.ts'", /nats.* may import/],
  [
    'a subfolder imports another folder',
    `${SRC}/nats/wire/p4.ts`,
    "export { x } from '../../client/index.ts'",
    /nats.* may import/,
  ],
  [
    'one store imports another',
    `${SRC}/mongo/p5.ts`,
    "export { x } from '../postgres/index.ts'",
    /mongo.* may import errors/,
  ],
  [
    'a dynamic import',
    `${SRC}/errors/p6.ts`,
    "export const x = await import('../micro/index.ts')",
    /errors may import nothing/,
  ],
  [
    'past a door',
    `${SRC}/micro/p7.ts`,
    "export { x } from '../nats/reply.ts'",
    /micro may import .*, by its index\.ts/,
  ],
  [
    'past a door from the root',
    `${SRC}/p7.ts`,
    "export { x } from './nats/reply.ts'",
    /import the index\.ts of the folder/,
  ],
  [
    'past a door from a test',
    `${SRC}/micro/p8.test.ts`,
    "export { x } from '../nats/reply.ts'",
    /import the index\.ts of the folder/,
  ],
  ['the root from inside', `${SRC}/micro/p9.ts`, "export { x } from '../index.ts'", /imports the root index\.ts/],
  [
    'a new folder',
    `${SRC}/magic/p10.ts`,
    "export { x } from '../errors/index.ts'",
    /this folder is not in tools\/check\/imports\.ts yet/,
  ],
  [
    'an undeclared package',
    `${SRC}/errors/p11.ts`,
    "export { pino } from 'pino'",
    /Dependency pino isn't specified in packages\/tsmicro/,
  ],
  [
    'the framework imports a sibling',
    `${SRC}/testing/p12.ts`,
    "export { x } from '@tsmicro/infra'",
    /the framework imports no other package/,
  ],
  [
    'the document server imports the framework',
    'packages/document-server/src/p13.ts',
    "export { x } from 'tsmicro'",
    /the document server imports no other/,
  ],
  [
    'the gateway imports the framework',
    'packages/gateway/src/p13.ts',
    "export { x } from 'tsmicro'",
    /the gateway may import kong\/plugins and single files/,
  ],
  [
    'infra imports a service',
    'packages/infra/src/p14.ts',
    "export { x } from '@blog-platform/blog-service'",
    /infra may import/,
  ],
  [
    'the command line imports a service',
    'packages/cli/src/p14.ts',
    "export { x } from '@blog-platform/blog-service'",
    /the command line may import/,
  ],
  ['a plugin imports a package', 'kong/plugins/one/p14.ts', "export { x } from 'undici'", /Kong runs this/],
  ['a contract imports the runtime', 'contracts/one/src/p15.ts', "export { x } from 'tsmicro'", /a contract is data/],
  ['a contract imports Node', 'contracts/one/src/p16.ts', "export { x } from 'node:fs'", /a contract is data/],
  [
    'a service imports a service',
    'services/two/src/p17.ts',
    "export { x } from '@blog-platform/blog-service'",
    /a service may import tsmicro and contracts/,
  ],
  [
    'a service imports infra',
    'services/one/src/p18.ts',
    "export { x } from '@tsmicro/infra'",
    /a service may import tsmicro and contracts/,
  ],
  [
    'a service imports what is inside the framework',
    'services/one/src/p19.ts',
    "export { x } from 'tsmicro/internal'",
    /use the other entries/,
  ],
  [
    'its startup does',
    'services/one/src/startup/p19.ts',
    "export { x } from 'tsmicro/internal'",
    /use the other entries/,
  ],
  [
    'a test of a service does',
    'services/one/tests/p20.test.ts',
    "export type { X } from 'tsmicro/internal'",
    /use the other entries/,
  ],
  [
    'a contract’s test does',
    'contracts/one/tests/p20.test.ts',
    "export { x } from 'tsmicro/internal'",
    /use the other entries/,
  ],
  [
    'a service imports a single file of it',
    'services/one/src/p19b.ts',
    "export { x } from 'tsmicro/internal/time'",
    /use the other entries/,
  ],
  ['an example does', 'examples/hello/p21.ts', "export { x } from 'tsmicro/internal'", /use the other entries/],
  [
    'what the documents show does',
    'tests/glance/tsmicro/p22.ts',
    "export { x } from 'tsmicro/internal'",
    /use the other entries/,
  ],
  [
    'out of a package by a path',
    'services/one/src/p23.ts',
    "export { x } from '../../two/src/y.ts'",
    /leaves its package by a path/,
  ],
  [
    'out of a package by a path in a test',
    'packages/gateway/tests/p23.test.ts',
    "export { x } from '../../../tests/support/y.ts'",
    /leaves its package by a path/,
  ],
  [
    'business logic names a store',
    'services/one/src/api/u/p24.ts',
    "import type { Pool } from 'pg'\nexport type X = Pool",
    /named outside startup/,
  ],
  [
    'business logic makes a cache',
    'services/one/src/api/u/p25.ts',
    "export { createCacheStore } from 'tsmicro/cache'",
    /belongs in startup/,
  ],
  [
    'a repository connects',
    'services/one/src/api/u/p26-repository.ts',
    "export { createPostgres } from 'tsmicro/postgres'",
    /belongs in startup/,
  ],
  [
    'a controller makes a client',
    'services/one/src/api/u/controller.ts',
    "import { type Log, NatsClient } from 'tsmicro'\nexport const x = (log: Log) => [NatsClient, log]",
    /belongs in startup/,
  ],
  [
    'a model uses a store',
    'services/one/src/api/u/model.ts',
    "export { isUniqueViolation } from 'tsmicro/postgres'",
    /only types of a store/,
  ],
  ['a circle', `${SRC}/errors/circle.ts`, "export { d } from './deep/d.ts'", /part of a cycle/],
  [
    'its other half',
    `${SRC}/errors/deep/d.ts`,
    "import { d as e } from '../circle.ts'\nexport const d: unknown = e",
    /part of a cycle/,
  ],
  [
    'a circle of types',
    `${SRC}/errors/types.ts`,
    "import type { D } from './deep/types.ts'\nexport type C = D[]",
    /part of a cycle/,
  ],
  [
    'the other half',
    `${SRC}/errors/deep/types.ts`,
    "import type { C } from '../types.ts'\nexport type D = C | 1",
    /part of a cycle/,
  ],
]

test('imports: sound files pass, and each planted violation is found', async t => {
  const root = fixture(t, {
    ...SOUND,
    ...Object.fromEntries(PLANTED.map(([, path, code]) => [path, `${code}\n`])),
    'biome.json': readFileSync(join(REPOSITORY, 'biome.json'), 'utf8'),
    '.gitignore': 'node_modules\n',
  })
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'))
  const results = await Promise.all([imports.run(root), lint.run(root)])
  const found = results
    .flatMap(({ problems }) => problems)
    .filter(problem => !/ format:| assist\/| lint\/suspicious\/noShadow/.test(problem))
  for (const [what, path, , finding] of PLANTED) {
    await t.test(`is refused: ${what}`, () => {
      const about = found.filter(problem => problem.startsWith(`${path}:`))
      assert.match(about.join('\n'), finding)
    })
  }
  await t.test('nothing else is', () => {
    const planted = new Set(PLANTED.map(([, path]) => path))
    assert.deepEqual(
      found.filter(problem => !planted.has(problem.split(':')[0] ?? '')),
      [],
    )
  })
})
