import type { Node } from 'oxc-parser'
import { CliError } from '../errors.ts'
import {
  callsOf,
  importAdded,
  memberAdded,
  memberOf,
  type ObjectNode,
  parseSource,
  visit,
  withInsertions,
} from './source.ts'

/** What a configuration gets for a service. */
export interface Addition {
  readonly service: string
  /** The members of its entry, but for its port: source text of each. */
  readonly members: readonly string[]
  /** Source text of each variable that `env` returns. */
  readonly env: readonly string[]
  /** Parts of the infrastructure that it needs. */
  readonly infra: readonly string[]
  /** What of `@tsmicro/cli` its entry uses. */
  readonly uses?: readonly string[]
}

export interface Edited {
  readonly text: string
  readonly port: number
}

const WIDTH = 110

/**
 * Adds a service to the source of a configuration: everything else stays as it was written.
 * @returns undefined if the service is there already
 * @throws CliError if the source has no plain `defineSystem({ infra: […], services: {…} })`
 */
export function addToConfig(file: string, text: string, addition: Addition): Edited | undefined {
  const { service, members, env, infra, uses = [] } = addition
  const program = parseSource(file, text)
  const system = definedSystem(program)
  const services = system && memberOf(system, 'services')
  const parts = system && memberOf(system, 'infra')
  if (services?.type !== 'ObjectExpression' || parts?.type !== 'ArrayExpression')
    throw new CliError(
      `${file} has no defineSystem({ infra: […], services: {…} }) with both written out: add the service there yourself`,
    )
  if (memberOf(services, service)) return undefined
  const port = nextPort(services)
  const short = `env: system => ({ ${env.join(', ')} }),`
  const lines = [
    `${/^\w+$/.test(service) ? service : `'${service}'`}: {`,
    ...members.map(member => `  ${member},`),
    `  port: ${port},`,
    ...(short.length < WIDTH ? [`  ${short}`] : ['  env: system => ({', ...env.map(each => `    ${each},`), '  }),']),
    '},',
  ]
  const listed = parts.elements.map(element => (element?.type === 'Literal' ? element.value : undefined))
  const missing = infra.filter(name => !listed.includes(name)).map(name => `'${name}'`)
  const separator = listed.length > 0 ? ', ' : ''
  const listedAt = parts.elements.at(-1)?.end ?? parts.start + 1
  const changed = withInsertions(file, text, [
    ...memberAdded(text, services, lines),
    ...(missing.length > 0 ? [{ at: listedAt, insert: separator + missing.join(', ') }] : []),
    ...uses.flatMap(name => importAdded(text, program, '@tsmicro/cli', name)),
  ])
  return { text: changed, port }
}

function definedSystem(program: Node): ObjectNode | undefined {
  const [argument] = callsOf(program, 'defineSystem').flatMap(({ arguments: [first] }) => first ?? [])
  return argument?.type === 'ObjectExpression' ? argument : undefined
}

function nextPort(services: Node): number {
  let highest = 8000
  visit(services, node => {
    if (
      node.type === 'Property' &&
      node.key.type === 'Identifier' &&
      node.key.name === 'port' &&
      node.value.type === 'Literal'
    )
      highest = Math.max(highest, Number(node.value.value) || 0)
  })
  return highest + 1
}
