import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Check } from './check.ts'
import { findings } from './installed.ts'

/** Imports that some files must not have, in the form of biome's rule noRestrictedImports. */
type Restriction = { readonly group: readonly string[]; readonly message: string; readonly importNamePattern?: string }

/** Later entries replace earlier ones for the files that they name. */
type Rule = { readonly files: readonly string[]; readonly never: readonly Restriction[] }

const never = (message: string, ...group: string[]): Restriction => ({ message, group })
/** Only names that match. */
const neverNamed = (importNamePattern: string, restriction: Restriction) => ({ ...restriction, importNamePattern })

const OUR_PACKAGES = ['tsmicro', 'tsmicro/**', '@tsmicro/**', '@blog-platform/**']
const NOT_TESTS = ['!**/*.test.ts', '!**/*.test-d.ts']
const INTERNAL = never(
  "tsmicro/internal is for the framework's own packages: use the other entries",
  'tsmicro/internal',
  'tsmicro/internal/**',
)
const UP = ['..', '../..', '../../..']
const OUT = 'leaves its package by a path: import the package by its name'
const OUT_OF_PACKAGE = never(OUT, '**/{src,tests}/**', ...UP.flatMap(up => [`!${up}/src/**`, `!${up}/tests/**`]))
/** From a package's folder `tests`, three folders up may be the repository's own. */
const OUT_OF_TESTS = never(OUT, '**/{src,tests}/**', ...UP.map(up => `!${up}/src/**`))

const FOLDERS =
  '{auth,cache,call,client,config,contract,errors,events,http,micro,mongo,nats,postgres,resilience,schema,telemetry,testing}'
const PAST_INDEX = 'import the index.ts of the folder, not a file in it'

/** What each folder of the framework may import beside itself. One that is not named here is refused. */
const DIRECTION: Readonly<Record<string, string>> = {
  errors: '',
  '{cache,config,mongo,postgres,schema,telemetry}': 'errors',
  contract: '{errors,schema}',
  '{call,client}': '{contract,errors,schema}',
  '{auth,http,nats,resilience}': '{call,contract,errors,schema}',
  events: '{call,contract,errors,nats,schema}',
  micro: '{auth,call,contract,errors,events,http,nats,schema}',
  testing: FOLDERS,
}

/** Imports of other folders of the framework, except through the index.ts of those that are allowed. */
function otherFolders(message: string, allowed: string, ...more: string[]): Restriction {
  const from = ['..', '../..'].map(up => `${up}/${FOLDERS}/**`)
  const except = allowed === '' ? [] : ['..', '../..'].map(up => `!${up}/${allowed}/index.ts`)
  return never(message, ...from, ...except, ...more)
}

const FRAMEWORK: readonly Rule[] = [
  { files: ['*.ts'], never: [never(PAST_INDEX, './*/**', '!./*/index.ts')] },
  {
    files: ['*/**'],
    never: [otherFolders('this folder is not in tools/check/imports.ts yet: add it to DIRECTION', '')],
  },
  ...Object.entries(DIRECTION).flatMap(([folder, allowed]) => {
    const message = `${folder} may import ${allowed || 'nothing'}, by its index.ts`
    const root = never(
      'imports the root index.ts, which imports everything: name the folder',
      '../index.ts',
      '../../index.ts',
    )
    // nats has a folder `client` of its own.
    const own = folder.includes('nats')
      ? [{ files: ['nats/*/**'], never: [otherFolders(message, allowed, '!../client/**'), root] }]
      : []
    return [{ files: [`${folder}/**`], never: [otherFolders(message, allowed), root] }, ...own]
  }),
].map(rule => ({
  files: [...rule.files.map(file => `packages/tsmicro/src/${file}`), ...NOT_TESTS],
  never: [
    ...rule.never,
    never('the framework imports no other package of this repository', ...OUR_PACKAGES),
    OUT_OF_PACKAGE,
  ],
}))

const STORES = ['tsmicro/postgres', 'tsmicro/mongo', 'pg', 'kysely', 'mongodb', 'lru-cache']
const STARTUP = 'belongs in startup/, which chooses stores and transports'
const OF_A_SERVICE = [
  never('a service may import tsmicro and contracts', '@tsmicro/**', '@blog-platform/*-service'),
  INTERNAL,
  OUT_OF_PACKAGE,
]
const CONNECTS = [
  neverNamed('NatsClient|(create|connect|open)[A-Za-z]*Nats[A-Za-z]*', never(STARTUP, 'tsmicro')),
  neverNamed('(create|connect|open)[A-Z][A-Za-z]*', never(STARTUP, ...STORES, 'tsmicro/cache')),
  ...OF_A_SERVICE,
]
const VALUES = '[a-z][A-Za-z]*'
const WITH_DATABASE = '{*index*,*quer*,*repository*}.ts'

/** Business logic knows neither store nor transport: repositories and queries use them, startup/ connects them. */
const SERVICES: readonly Rule[] = [
  {
    files: ['services/*/src/**', ...NOT_TESTS],
    never: [
      never('a store is named outside startup/ and repositories: let a repository hide it', ...STORES),
      neverNamed(
        VALUES,
        never(`only types of tsmicro/cache may be imported here: connecting it ${STARTUP}`, 'tsmicro/cache'),
      ),
      ...CONNECTS,
    ],
  },
  {
    files: ['services/*/src/**/model.ts'],
    never: [neverNamed(VALUES, never('a model may import only types of a store', ...STORES)), ...CONNECTS],
  },
  {
    files: [
      'services/*/src/database*/**',
      'services/*/src/database*.ts',
      `services/*/src/**/${WITH_DATABASE}`,
      ...NOT_TESTS,
    ],
    never: CONNECTS,
  },
  { files: ['services/*/src/startup/**', ...NOT_TESTS], never: OF_A_SERVICE },
]

const own = (folder: string, message: string, ...group: string[]): Rule => ({
  files: [`${folder}/**`, ...NOT_TESTS],
  never: [never(message, ...group), OUT_OF_PACKAGE],
})

const RULES: readonly Rule[] = [
  { files: ['**', '!**/{packages,tools,tests,bench}/**'], never: [INTERNAL] },
  { files: ['tests/{documentation,glance}/**'], never: [INTERNAL] },
  { files: ['packages/*/src/**'], never: [OUT_OF_PACKAGE] },
  { files: ['packages/*/tests/**'], never: [OUT_OF_TESTS] },
  { files: ['{contracts,services}/*/src/**'], never: [INTERNAL, OUT_OF_PACKAGE] },
  { files: ['{contracts,services}/*/tests/**'], never: [INTERNAL, OUT_OF_TESTS] },
  {
    files: ['packages/tsmicro/src/**/*.{test,test-d}.ts'],
    never: [otherFolders(PAST_INDEX, FOLDERS), OUT_OF_PACKAGE],
  },
  ...FRAMEWORK,
  own(
    'packages/document-server/src',
    'the document server imports no other package of this repository',
    ...OUR_PACKAGES,
  ),
  own(
    'packages/gateway/src',
    'the gateway may import kong/plugins and single files of tsmicro/internal/ alone',
    ...OUR_PACKAGES,
    '!@tsmicro/kong-plugins/**',
    '!tsmicro/internal/**',
  ),
  own(
    'packages/explorer/{src,page}',
    'the explorer may import tsmicro alone',
    ...OUR_PACKAGES,
    '!tsmicro',
    '!tsmicro/**',
  ),
  own('packages/infra/src', 'infra may import the document server alone', ...OUR_PACKAGES, '!@tsmicro/document-server'),
  own(
    'packages/create/src',
    'create-tsmicro runs before anything is installed: it may import nothing of ours',
    ...OUR_PACKAGES,
  ),
  own('packages/cli/src', 'the command line may import packages, not services or contracts', '@blog-platform/**'),
  own(
    'kong/plugins',
    'Kong runs this: import own files, cjson and resty alone',
    '*',
    '*/**',
    '!{cjson,resty}.*',
    '!./**',
    '!../**',
  ),
  own(
    'contracts/*/src',
    'a contract is data: it may import tsmicro/contract, typebox and other contracts',
    ...['*', '*/**', '!tsmicro/contract', '!typebox', '!@blog-platform/*-contract', '!./**', '!../**'],
  ),
  ...SERVICES,
]

export const imports: Check = {
  name: 'imports',
  promise: 'imports go in one direction and through doors; services and examples never import tsmicro/internal',
  run: async root => {
    const folder = mkdtempSync(join(tmpdir(), 'tsmicro-imports-'))
    try {
      writeFileSync(join(folder, 'biome.json'), JSON.stringify(configuration()))
      return {
        problems: await findings(root, ['lint', `--config-path=${folder}`, '--only=style/noRestrictedImports']),
        note: `${RULES.length} rules`,
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function configuration() {
  return {
    files: { includes: ['**/*.{ts,mjs}', '!**/{node_modules,peers,compiler}'] },
    formatter: { enabled: false },
    assist: { enabled: false },
    linter: { rules: { preset: 'none' } },
    overrides: RULES.map(({ files, never: patterns }) => ({
      // Biome takes globs to be relative to the configuration's folder, which is not the repository's.
      includes: files.map(glob => (glob.startsWith('!') || glob === '**' ? glob : `**/${glob}`)),
      linter: { rules: { style: { noRestrictedImports: { level: 'error', options: { patterns } } } } },
    })),
  }
}
