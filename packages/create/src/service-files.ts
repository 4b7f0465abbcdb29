/** The files of a service: its contract, module, program and test. */
export function serviceFiles(name: string): Readonly<Record<string, string>> {
  const contract = `${camelCase(name)}Contract`
  return {
    [`contracts/${name}.ts`]: `import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'

export const { NAME_NOT_WELCOME } = defineErrors({
  NAME_NOT_WELCOME: { status: 409, message: 'We do not greet this name', data: Type.Object({ name: Type.String() }) },
})

export const ${contract} = contract('${name}', {
  greet: procedure({
    http: 'GET /${name}/greet/:name',
    nats: 'greet',
    access: 'open',
    summary: 'A friendly word',
    input: Type.Object({ name: Type.String({ minLength: 2, maxLength: 50 }) }),
    output: Type.Object({ text: Type.String() }),
    errors: { NAME_NOT_WELCOME },
  }),
})
`,
    [`services/${name}/module.ts`]: `import { implement, type Module, type NatsClient } from 'tsmicro'
import { ${contract}, NAME_NOT_WELCOME } from '../../contracts/${name}.ts'

export function createModule({ nats }: { nats: NatsClient }): Module {
  return {
    nats,
    handlers: [
      implement(${contract}, {
        greet({ input: { name } }) {
          if (name === 'Mallory') throw new NAME_NOT_WELCOME({ name })
          return { text: \`Hello, \${name}!\` }
        },
      }),
    ],
  }
}
`,
    [`services/${name}/main.ts`]: program(name),
    [`services/${name}/${name}.test.ts`]: `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testService } from 'tsmicro/testing'
import { ${contract}, NAME_NOT_WELCOME } from '../../contracts/${name}.ts'
import { createModule } from './module.ts'

test('greets at both doors, but not everybody', async () => {
  await using app = await testService(createModule)
  assert.deepEqual(await app.http(${contract}).greet({ name: 'Ada' }), { text: 'Hello, Ada!' })
  assert.deepEqual(await app.nats(${contract}).greet({ name: 'Grace' }), { text: 'Hello, Grace!' })
  await assert.rejects(app.http(${contract}).greet({ name: 'Mallory' }), NAME_NOT_WELCOME)
})
`,
  }
}

export const camelCase = (name: string): string =>
  name.replaceAll(/-+(.?)/g, (_, letter: string) => letter.toUpperCase())

/** What a program needs besides NATS: source text for each place. */
interface Needs {
  readonly imports?: string
  readonly types?: string
  readonly env?: string
  readonly parts?: string
  readonly passed?: string
}

export function program(
  name: string,
  { imports = '', types = '', env = '', parts = '', passed = '' }: Needs = {},
): string {
  return `import { createService, NatsClient, runService } from 'tsmicro'
import { loadConfig } from 'tsmicro/config'
${imports}import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'
import { createModule } from './module.ts'
${types}
const env = loadConfig(
  Type.Object({
    HOST: Type.String({ default: '127.0.0.1' }),
    PORT: Type.Integer({ default: 8001 }),
    NATS_URL: Type.String({ description: 'nats://host:port' }),
${env}  }),
)
const log = createLogger({ name: '${name}' })
const nats = new NatsClient({ url: env.NATS_URL, name: '${name}', log })
${parts}const module = createModule({ nats${passed} })
const http = { host: env.HOST, port: env.PORT }
await runService(createService({ name: '${name}', version: '1.0.0', module, log, http }), { log })
`
}
