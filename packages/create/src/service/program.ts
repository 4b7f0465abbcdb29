import { camelCase, type ServiceOptions } from './options.ts'
import { type Places, specifier } from './places.ts'

/** Environment, module and main program. */
export function programFiles(options: ServiceOptions, places: Places): Readonly<Record<string, string>> {
  const files = { [places.env]: envFile(options), [places.module]: moduleFile(options, places) }
  if (places.service === undefined) return { ...files, [places.main]: wholeMain(options, places) }
  return { ...files, [places.service]: serviceFile(options, places), [places.main]: shortMain(options, places) }
}

function envFile({ port, store, gateway = false }: ServiceOptions): string {
  const common = gateway
    ? '  ...common,\n'
    : `  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on; 0.0.0.0 in a container' }),\n`
  const variables = [
    `  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: ${port}, description: 'HTTP port; 0 = any free one' }),`,
    "  NATS_URL: secret(Type.String({ pattern: '^(nats|tls)://', description: 'nats://user:password@host:port' })),",
    ...(store === 'postgres'
      ? [
          "  DATABASE_URL: secret(\n    Type.String({ pattern: '^postgres(ql)?://', description: 'postgres://user:password@host:port/database' }),\n  ),",
        ]
      : []),
    ...(store === 'mongo'
      ? [
          "  MONGODB_URL: secret(\n    Type.String({ pattern: '^mongodb(\\\\+srv)?://', description: 'mongodb://user:password@host:port/database' }),\n  ),",
        ]
      : []),
  ]
  return `import { secret${gateway ? ', serviceEnv' : ''} } from 'tsmicro/config'
import Type from 'typebox'
${gateway ? '\nconst { VERIFY_SECRET: _unused, ...common } = serviceEnv\n' : ''}
/** The environment of the service. */
export const Env = Type.Object({
${common}${variables.join('\n')}
})
`
}

function moduleFile({ store }: ServiceOptions, places: Places): string {
  const handlers = specifier(places.module, places.handlers)
  if (store === undefined)
    return `import type { Module, NatsClient } from 'tsmicro'
import { greetingHandlers } from '${handlers}'

export function createModule({ nats }: { nats: NatsClient }): Module {
  return {
    nats,
    handlers: [greetingHandlers],
  }
}
`
  const repository = `import { ItemRepository } from '${specifier(places.module, places.repository)}'`
  if (store === 'mongo')
    return `import type { Module, NatsClient } from 'tsmicro'
import type { Mongo } from 'tsmicro/mongo'
import { itemHandlers } from '${handlers}'
${repository}

export function createModule({ nats, mongo }: { nats: NatsClient; mongo: Mongo }): Module {
  const items = new ItemRepository(mongo)
  return {
    nats,
    dependencies: [mongo],
    prepare: [{ name: 'indexes', run: () => mongo.ensureIndexes() }],
    handlers: [itemHandlers(items)],
  }
}
`
  const database = `import { MIGRATIONS, type Tables } from '${specifier(places.module, places.database)}'\n`
  const own = `import { itemHandlers } from '${handlers}'\n${repository}\n`
  return `import type { Module, NatsClient } from 'tsmicro'
import type { Postgres } from 'tsmicro/postgres'
${handlers.startsWith('./') ? `${database}${own}` : `${own}${database}`}
export function createModule({ nats, postgres }: { nats: NatsClient; postgres: Postgres<Tables> }): Module {
  const items = new ItemRepository(postgres)
  return {
    nats,
    dependencies: [postgres],
    prepare: [{ name: 'migrations', run: async () => void (await postgres.migrate(MIGRATIONS)) }],
    handlers: [itemHandlers(items)],
  }
}
`
}

interface Wiring {
  readonly imports: string
  readonly types: string
  readonly lines: string
  readonly passed: string
  readonly http: string
}

/** How the connections of a service are made. */
function wiring({ name, store, gateway = false }: ServiceOptions, places: Places, from: string): Wiring {
  const options = `{ url: env.${store === 'mongo' ? 'MONGODB_URL' : 'DATABASE_URL'}, applicationName: '${name}'`
  const signed = gateway ? ', ...(gateway ? { gateway } : {})' : ''
  const parts = {
    none: { imports: '', types: '', line: '', passed: '' },
    postgres: {
      imports: "import { createPostgres } from 'tsmicro/postgres'\n",
      types: `import type { Tables } from '${specifier(from, places.database)}'\n`,
      line: `const postgres = createPostgres<Tables>(${options}, log })\n`,
      passed: ', postgres',
    },
    mongo: {
      imports: "import { createMongo } from 'tsmicro/mongo'\n",
      types: '',
      line: `const mongo = createMongo(${options} })\n`,
      passed: ', mongo',
    },
  }[store ?? 'none']
  return {
    imports: parts.imports,
    types: parts.types,
    lines: `const nats = new NatsClient({ url: env.NATS_URL, name: '${name}', log })
${parts.line}${gateway ? "const gateway = gatewayDoor(env, ['GATEWAY_SECRET'])\n" : ''}`,
    passed: `{ nats${parts.passed} }`,
    http: `{ host: env.HOST, port: env.PORT${gateway ? `, publicPath: '/${name}'` : ''}${signed} }`,
  }
}

function wholeMain(options: ServiceOptions, places: Places): string {
  const { name, gateway = false } = options
  const { imports, types, lines, passed, http } = wiring(options, places, places.main)
  const [mongo, postgres] = [imports.includes('mongo') ? imports : '', imports.includes('postgres') ? imports : '']
  return `import { createService, NatsClient, runService } from 'tsmicro'
import { ${gateway ? 'gatewayDoor, ' : ''}loadConfig } from 'tsmicro/config'
${mongo}${postgres}import { createLogger } from 'tsmicro/telemetry'
${types}import { Env } from '${specifier(places.main, places.env)}'
import { createModule } from '${specifier(places.main, places.module)}'

const env = loadConfig(Env)
const log = createLogger({ name: '${name}'${gateway ? ', level: env.LOG_LEVEL' : ''} })
${lines}const http = ${http}
const module = createModule(${passed})
await runService(createService({ name: '${name}', version: '1.0.0', module, log, http }), { log })
`
}

/** `createMailBoxService`, or whatever the service is called. */
function creatorOf(name: string): string {
  const camel = camelCase(name)
  return `create${camel.charAt(0).toUpperCase()}${camel.slice(1)}Service`
}

function serviceFile(options: ServiceOptions, places: Places): string {
  const from = places.service ?? ''
  const { name, gateway = false } = options
  const { imports, types, lines, passed, http } = wiring(options, places, from)
  const config = gateway ? 'type Config, gatewayDoor' : 'type Config'
  const timeout = gateway ? '    handlerTimeoutMs: env.REQUEST_TIMEOUT_MS,\n' : ''
  return `import { createService, type Log, NatsClient, type Service } from 'tsmicro'
import ${gateway ? `{ ${config} }` : 'type { Config }'} from 'tsmicro/config'
${imports}${types}import type { Env } from '${specifier(from, places.env)}'
import { createModule } from '${specifier(from, places.module)}'

/** Creates the service without starting it. */
export function ${creatorOf(name)}(env: Config<typeof Env>, log: Log): Service {
${lines.replaceAll(/^(?=.)/gm, '  ')}  return createService({
    name: '${name}',
    version: '0.1.0',
    module: createModule(${passed}),
    log,
${timeout}    http: ${http},
  })
}
`
}

function shortMain({ name, gateway = false }: ServiceOptions, places: Places): string {
  return `import { runService } from 'tsmicro'
import { loadConfig } from 'tsmicro/config'
import { createLogger } from 'tsmicro/telemetry'
import { Env } from '${specifier(places.main, places.env)}'
import { ${creatorOf(name)} } from '${specifier(places.main, places.service ?? '')}'

const env = loadConfig(Env)
const log = createLogger({ name: '${name}'${gateway ? ', level: env.LOG_LEVEL' : ''} })
await runService(${creatorOf(name)}(env, log), { log })
`
}
