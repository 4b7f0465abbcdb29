import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import type { Node } from 'oxc-parser'
import { CliError, UsageError } from '../errors.ts'
import type { Project } from './project.ts'
import { callsOf, type ObjectNode, parseSource, sourceOf } from './source.ts'

/** An object literal in a source file of the project. */
export interface Found {
  /** Relative to the project. */
  readonly file: string
  readonly text: string
  readonly program: Node
  readonly object: ObjectNode
  /** The constant of the contract. */
  readonly contract: string
}

/** `orders/place`: a service, and a new name in its contract. @throws UsageError */
export function readTarget(text: string): { readonly service: string; readonly name: string } {
  const [, service = '', name = ''] = /^([a-z][a-z0-9-]*)\/([a-z][A-Za-z0-9]*)$/.exec(text) ?? []
  if (service === '') throw new UsageError(`"${text}" is not SERVICE/NAME, such as orders/place or orders/placeAgain`)
  return { service, name }
}

/** `placeAgain` → `place-again` */
export const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)

/**
 * The members of a service's contract.
 * @param wanted the constant, where a service has several contracts
 * @throws CliError if there is none, or not just one
 */
export function findContract({ root, config }: Project, service: string, wanted: string | undefined): Found {
  const entry = config.services[service]?.contract
  if (!config.services[service])
    throw new CliError(`there is no service ${service}: tsmicro add service ${service} makes one`)
  if (entry === undefined)
    throw new CliError(`${service} names no contract in tsmicro.config.ts: contract: 'contracts/…'`)
  // A module that only exports what others declare has them beside it.
  const isIndex = basename(entry) === 'index.ts'
  const files = isIndex ? sourcesIn(root, dirname(entry)) : [entry]
  const all = files.flatMap(file => {
    const text = readFileSync(join(root, file), 'utf8')
    const program = parseSource(file, text)
    return callsOf(program, 'contract').flatMap(call => {
      const [name, object] = call.arguments
      const contract = constantOf(program, call)
      if (name?.type !== 'Literal' || name.value !== service || object?.type !== 'ObjectExpression') return []
      return contract === undefined ? [] : [{ file, text, program, object, contract }]
    })
  })
  const found = all.filter(({ contract }) => wanted === undefined || contract === wanted)
  const [first] = found
  if (first && found.length === 1) return first
  if (all.length === 0) throw new CliError(`${entry} has no contract('${service}', { … }) with its members written out`)
  throw new CliError(
    `${service} has the contracts ${all.map(({ contract }) => contract).join(', ')}: say which, --contract ${all[0]?.contract}`,
  )
}

/** The handlers of a contract. @throws CliError if they are not written out in one place */
export function findHandlers({ root, config }: Project, service: string, contract: string): Found {
  const folder = dirname(config.services[service]?.entry ?? '')
  const found = sourcesIn(root, folder).flatMap(file => {
    const text = readFileSync(join(root, file), 'utf8')
    if (!text.includes('implement')) return []
    const program = parseSource(file, text)
    return callsOf(program, 'implement').flatMap(({ arguments: [of, object] }) =>
      of?.type === 'Identifier' && of.name === contract && object?.type === 'ObjectExpression'
        ? [{ file, text, program, object, contract }]
        : [],
    )
  })
  const [first] = found
  if (first && found.length === 1) return first
  throw new CliError(`${folder} has ${found.length} places with implement(${contract}, { … }): there has to be one`)
}

function sourcesIn(root: string, folder: string): readonly string[] {
  return globSync(`${folder}/**/*.ts`, { cwd: root })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => !/(^|\/)node_modules\/|\.(test|test-d|d)\.ts$/.test(path))
    .sort()
}

/** The constant that a call's result gets. */
function constantOf(program: Node, call: Node): string | undefined {
  if (program.type !== 'Program') return undefined
  for (const statement of program.body) {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declaration?.type !== 'VariableDeclaration') continue
    const found = declaration.declarations.find(({ init }) => init?.start === call.start && init.end === call.end)
    if (found?.id.type === 'Identifier') return found.id.name
  }
  return undefined
}

/** How a file imports a contract that another one imports, or declares. */
export function contractFor(file: string, { file: other, program, contract }: Found): string {
  const source = sourceOf(program, contract) ?? `./${posix.basename(other)}`
  if (!source.startsWith('.')) return source
  const path = posix.relative(posix.dirname(file), posix.join(posix.dirname(other), source))
  return path.startsWith('.') ? path : `./${path}`
}

/** Where the tests of a service are, and what starts it there; undefined if the service was not made by `tsmicro add service`. */
export function findTesting({ root, scope }: Project, service: string) {
  const tests = scope === undefined ? `services/${service}` : `services/${service}/tests`
  const [file, helper] =
    scope === undefined
      ? [`${tests}/testing.ts`, './testing.ts']
      : [`${tests}/support/service.ts`, './support/service.ts']
  return { tests, helper: existsSync(join(root, file)) ? helper : undefined }
}
