import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf } from './fixture.ts'
import { imports } from './imports.ts'

const SRC = 'packages/tsmicro/src'

test('a sound workspace passes, whatever its comments, strings and fixtures quote', async t => {
  const quoting = [
    "// import { x } from '../micro/index.ts'",
    "/*\nimport { x } from '../micro/index.ts'\n*/",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the code of a file
    "const code = `\nimport { x } from '../micro/index.ts'\n${`nested ${{ a: '}' }.a}`}\nimport '../micro/index.ts'\n`",
    "const pattern = /[/`'\"]/, half = 4 / 2 / 1, path = 'src/**/*.ts'",
    "import { a } from '../errors/index.ts'",
  ].join('\n')
  assert.deepEqual(
    await problemsOf(imports, t, {
      [`${SRC}/contract/b.ts`]: quoting,
      [`${SRC}/index.ts`]: "export { a } from './errors/index.ts'",
      [`${SRC}/auth/tokens/t.ts`]: "import { k } from '../keys/key.ts'",
      [`${SRC}/auth/keys/key.ts`]: "import type { t } from '../tokens/t.ts'\nexport const k = 1",
      [`${SRC}/http/h.ts`]: "import fastify, { type Fastify } from 'fastify'\nimport { a } from '../errors/index.ts'",
      'contracts/one/src/c.ts': "import { procedure } from 'tsmicro/contract'\nimport { Type } from 'typebox'",
      'services/one/src/startup/module.ts':
        "import { createPostgres } from 'tsmicro/postgres'\nimport { NatsClient } from 'tsmicro'",
      'services/one/src/api/u/repository.ts': "import { isUniqueViolation, type Database } from 'tsmicro/postgres'",
      'services/one/src/api/u/service.ts':
        "import type { Cache } from 'tsmicro/cache'\nimport { type NatsClient } from 'tsmicro'",
      'services/one/tests/a.test.ts':
        "import { startNats } from '@tsmicro/infra'\nimport { createPostgres } from 'tsmicro/postgres'",
    }),
    [],
  )
})

for (const [what, path, code, expected] of [
  [
    'errors imports another folder',
    `${SRC}/errors/b.ts`,
    "import { x } from '../contract/index.ts'",
    /errors\/ may not import contract\//,
  ],
  [
    'contract imports http',
    `${SRC}/contract/b.ts`,
    "import { x } from '../http/index.ts'",
    /contract\/ may not import http\//,
  ],
  [
    'a type goes the wrong way',
    `${SRC}/nats/b.ts`,
    "import type { X } from '../micro/index.ts'",
    /nats\/ may not import micro\//,
  ],
  ['http imports nats', `${SRC}/http/b.ts`, "export { x } from '../nats/index.ts'", /http\/ may not import nats\//],
  [
    'one store imports another',
    `${SRC}/mongo/b.ts`,
    "import { x } from '../postgres/index.ts'",
    /mongo\/ may not import postgres\//,
  ],
  [
    'a dynamic import',
    `${SRC}/errors/b.ts`,
    "const x = await import('../micro/index.ts')",
    /errors\/ may not import micro\//,
  ],
  [
    'an import over many lines',
    `${SRC}/errors/b.ts`,
    "import {\n  x,\n  type Y,\n} from '../micro/index.ts'",
    /b\.ts:1 errors\/ may not import micro\//,
  ],
  [
    'an import after a regular expression',
    `${SRC}/errors/b.ts`,
    "const p = /`/\nimport '../micro/index.ts'",
    /errors\/ may not/,
  ],
  ['past a door', `${SRC}/micro/b.ts`, "import { x } from '../nats/reply.ts'", /reaches into nats\/: import its door/],
  ['past a door from a test', `${SRC}/micro/b.test.ts`, "import { x } from '../nats/reply.ts'", /reaches into nats\//],
  ['the root from inside', `${SRC}/micro/b.ts`, "import { x } from '../index.ts'", /imports the root index\.ts/],
  ['a new folder', `${SRC}/magic/b.ts`, "import { x } from '../errors/index.ts'", /magic\/ has no place/],
  [
    'an undeclared package',
    `${SRC}/errors/b.ts`,
    "import pino from 'pino'",
    /pino is not among the dependencies of packages\/tsmicro/,
  ],
  [
    'the framework imports a sibling',
    `${SRC}/errors/b.ts`,
    "import { x } from '@tsmicro/infra'",
    /packages\/tsmicro may not import packages\/infra/,
  ],
  [
    'the gateway imports the framework',
    'packages/gateway/src/b.ts',
    "import { x } from 'tsmicro'",
    /packages\/gateway may not import packages\/tsmicro/,
  ],
  [
    'infra imports a service',
    'packages/infra/src/b.ts',
    "import { x } from '@x/one'",
    /packages\/infra may not import services\/one/,
  ],
  [
    'a contract imports the runtime',
    'contracts/one/src/b.ts',
    "import { x } from 'tsmicro'",
    /a contract may import tsmicro\/contract/,
  ],
  ['a contract imports Node', 'contracts/one/src/b.ts', "import { x } from 'node:fs'", /a contract is data/],
  [
    'a service imports a service',
    'services/two/src/b.ts',
    "import { x } from '@x/one'",
    /a service may import tsmicro and contracts, not services\/one/,
  ],
  [
    'a service imports what is inside the framework',
    'services/one/src/b.ts',
    "import { x } from 'tsmicro/internal'",
    /tsmicro\/internal is for the framework's own packages/,
  ],
  [
    'a test of a service does',
    'services/one/tests/b.test.ts',
    "import type { X } from 'tsmicro/internal'",
    /tsmicro\/internal is for/,
  ],
  ['an example does', 'examples/hello/b.ts', "import { x } from 'tsmicro/internal'", /tsmicro\/internal is for/],
  [
    'what the documents show does',
    'tests/glance/tsmicro/b.ts',
    "import { x } from 'tsmicro/internal'",
    /tsmicro\/internal is for/,
  ],
  ['a service imports infra', 'services/one/src/b.ts', "import { x } from '@tsmicro/infra'", /not packages\/infra/],
  [
    'out of a package by a path',
    'services/one/src/b.ts',
    "import { x } from '../../two/src/y.ts'",
    /leaves its package by a path/,
  ],
  [
    'business logic names a store',
    'services/one/src/api/u/service.ts',
    "import type { Pool } from 'pg'",
    /pg is named outside startup/,
  ],
  [
    'a repository connects',
    'services/one/src/api/u/repository.ts',
    "import { createPostgres } from 'tsmicro/postgres'",
    /createPostgres belongs in startup/,
  ],
  [
    'a controller makes a client',
    'services/one/src/api/u/controller.ts',
    "import { NatsClient, type Log } from 'tsmicro'",
    /NatsClient belongs in startup/,
  ],
] as const) {
  test(`is refused: ${what}`, async t => {
    const problems = await problemsOf(imports, t, { [path]: code })
    assert.match(problems.join('\n'), expected)
    assert.ok(
      problems.every(problem => problem.startsWith(path)),
      problems.join('\n'),
    )
  })
}

test('a circle of imports is shown; one of types alone is not', async t => {
  const files = {
    [`${SRC}/errors/b.ts`]: "import { c } from './c.ts'",
    [`${SRC}/errors/c.ts`]: "export { d } from './deep/d.ts'",
    [`${SRC}/errors/deep/d.ts`]: "import { b } from '../b.ts'",
  }
  assert.deepEqual(await problemsOf(imports, t, files), [
    `import cycle: ${SRC}/errors/b.ts → ${SRC}/errors/c.ts → ${SRC}/errors/deep/d.ts → ${SRC}/errors/b.ts`,
  ])
  const typed = { ...files, [`${SRC}/errors/deep/d.ts`]: "import { type b } from '../b.ts'" }
  assert.deepEqual(await problemsOf(imports, t, typed), [])
})
