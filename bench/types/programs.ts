/** What a program promises and does: the same fields either way. */
interface Size {
  readonly contracts: number
  readonly procedures: number
}

/** Files of a program, by name. */
type Program = Readonly<Record<string, string>>

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number)
const many = (count: number, line: (number: number) => string) => numbers(count).map(line).join('\n')

/** Contracts with their handlers and calls of each procedure over HTTP and NATS. */
export const contracts = ({ contracts, procedures }: Size): Program =>
  files(
    contracts,
    contract => `import { implement, type NatsClient } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'

export const { MISSING } = defineErrors({ MISSING: { status: 404, message: 'Missing' } })
export const offer = contract('service${contract}', {
${many(
  procedures,
  number => `  call${number}: procedure({
    http: 'POST /call${number}/:id',
    nats: 'call${number}',
    access: 'open',
    input: ${inputSchema(number)},
    output: ${outputSchema(number)},
    errors: { MISSING },
  }),`,
)}
})
export const handlers = implement(offer, {
${handlersOf(procedures)}
})
export async function calls(nats: NatsClient) {
  const [http, other] = [createHttpClient(offer, { baseUrl: '' }), nats.client(offer)]
${many(
  procedures,
  number => `  const at${number} = await http.call${number}({ id: '', title${number}: '', tags: [] })
  await other.call${number}({ id: at${number}.author.name, title${number}: at${number}.title${number}, tags: at${number}.tags })`,
)}
}
`,
  )

const inputSchema = (number: number) =>
  `Type.Object({ id: Type.String(), title${number}: Type.String(), tags: Type.Array(Type.String()), count: Type.Optional(Type.Integer()) })`
const outputSchema = (number: number) =>
  `Type.Object({ id: Type.String(), title${number}: Type.String(), tags: Type.Array(Type.String()), author: Type.Object({ id: Type.String(), name: Type.String() }) })`

/** The same with interfaces: nothing is checked when it runs, and nothing is known of paths, subjects or errors. */
export const plain = (size: Size): Program =>
  withTypes(
    size,
    number => `export interface Input${number} { id: string; title${number}: string; tags: string[]; count?: number }
export interface Output${number} { id: string; title${number}: string; tags: string[]; author: { id: string; name: string } }`,
  )

/** The same with types that TypeBox derives from schemas: what a service without tsmicro needs to check its input as well. */
export const schemas = (size: Size): Program =>
  withTypes(
    size,
    number => `export const input${number} = ${inputSchema(number)}
export type Input${number} = Static<typeof input${number}>
export const output${number} = ${outputSchema(number)}
export type Output${number} = Static<typeof output${number}>`,
    "import Type, { type Static } from 'typebox'\n",
  )

const withTypes = ({ contracts, procedures }: Size, declared: (number: number) => string, imports = ''): Program =>
  files(
    contracts,
    () => `${imports}export class MISSING extends Error {}
interface Context<Input> { readonly input: Input; readonly errors: { readonly MISSING: typeof MISSING } }
type Handler<Input, Output> = (context: Context<Input>) => Output | Promise<Output>
${many(procedures, declared)}
export interface Handlers {
${many(procedures, number => `  call${number}: Handler<Input${number}, Output${number}>`)}
}
export interface Client {
${many(procedures, number => `  call${number}(input: Input${number}): Promise<Output${number}>`)}
}
export const handlers: Handlers = {
${handlersOf(procedures)}
}
export async function calls(http: Client, other: Client) {
${many(
  procedures,
  number => `  const at${number} = await http.call${number}({ id: '', title${number}: '', tags: [] })
  await other.call${number}({ id: at${number}.author.name, title${number}: at${number}.title${number}, tags: at${number}.tags })`,
)}
}
`,
  )

/** The same with interfaces, beside the libraries that the contracts need. */
export const plainBeside = (size: Size): Program => ({ ...plain(size), ...libraries() })

/** The declarations of the libraries alone. */
export const libraries = (): Program => ({
  'libraries.ts': `export * as micro from 'tsmicro'
export * as client from 'tsmicro/client'
export * as contract from 'tsmicro/contract'
export { default as Type } from 'typebox'
`,
})

const files = (count: number, text: (number: number) => string): Program =>
  Object.fromEntries(numbers(count).map(number => [`service${number}.ts`, text(number)]))

/** The same handlers either way. */
function handlersOf(procedures: number): string {
  return many(
    procedures,
    number => `  call${number}({ input, errors }) {
    if (input.count === 0) throw new errors.MISSING()
    return { id: input.id, title${number}: input.title${number}, tags: input.tags, author: { id: input.id, name: '' } }
  },`,
  )
}
