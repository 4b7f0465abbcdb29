import { type Node, parseSync } from 'oxc-parser'
import { CliError } from '../errors.ts'

/** What a configuration gets for a service. */
export interface Addition {
  readonly service: string
  readonly entry: string
  /** Source text of what `env` returns. */
  readonly env: string
  /** Parts of the infrastructure that it needs. */
  readonly infra: readonly string[]
}

const COMMENTS = /\/\*[\s\S]*?\*\/|\/\/.*/g

export interface Edited {
  readonly text: string
  readonly port: number
}

/**
 * Adds a service to the source of a configuration: everything else stays as it was written.
 * @returns undefined if the service is there already
 * @throws CliError if the source has no plain `defineSystem({ infra: […], services: {…} })`
 */
export function addToConfig(file: string, text: string, { service, entry, env, infra }: Addition): Edited | undefined {
  const { program, errors } = parseSync(file, text)
  if (errors[0]) throw new CliError(`${file} cannot be read: ${errors[0].message}`)
  const system = definedSystem(program)
  const services = system && memberOf(system, 'services')
  const parts = system && memberOf(system, 'infra')
  if (services?.type !== 'ObjectExpression' || parts?.type !== 'ArrayExpression')
    throw new CliError(
      `${file} has no defineSystem({ infra: […], services: {…} }) with both written out: add the service there yourself`,
    )
  if (memberOf(services, service)) return undefined
  const port = nextPort(services)
  const line = `'${service}': { entry: '${entry}', port: ${port}, env: system => (${env}) },`
  const listed = parts.elements.map(element => (element?.type === 'Literal' ? element.value : undefined))
  const missing = infra.filter(name => !listed.includes(name)).map(name => `'${name}'`)
  const last = services.properties.at(-1)
  const edits = [{ at: services.end - 1, insert: onItsOwnLine(text, services.end - 1, line) }]
  const rest = last && text.slice(last.end, services.end).replaceAll(COMMENTS, '')
  if (last && !rest?.includes(',')) edits.push({ at: last.end, insert: ',' })
  if (missing.length > 0)
    edits.push({
      at: parts.elements.at(-1)?.end ?? parts.start + 1,
      insert: (listed.length > 0 ? ', ' : '') + missing.join(', '),
    })
  const changed = edits
    .sort((a, b) => b.at - a.at)
    .reduce((source, { at, insert }) => source.slice(0, at) + insert + source.slice(at), text)
  if (parseSync(file, changed).errors.length > 0)
    throw new CliError(`${file} cannot be edited: add the service there yourself: ${line}`)
  return { text: changed, port }
}

/** Before a closing brace, one step further in. */
function onItsOwnLine(text: string, brace: number, line: string): string {
  const before = text.slice(text.lastIndexOf('\n', brace) + 1, brace)
  const indent = /^[ \t]*/.exec(before)?.[0] ?? ''
  return before.trim() === '' ? `  ${line}\n${indent}` : `\n${indent}  ${line}\n${indent}`
}

function definedSystem(program: Node): ObjectNode | undefined {
  let found: ObjectNode | undefined
  visit(program, node => {
    if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'defineSystem')
      return
    const [argument] = node.arguments
    if (argument?.type === 'ObjectExpression') found ??= argument
  })
  return found
}

type ObjectNode = Extract<Node, { type: 'ObjectExpression' }>

function memberOf({ properties }: ObjectNode, name: string): Node | undefined {
  for (const property of properties) {
    if (property.type !== 'Property') continue
    const { key } = property
    if ((key.type === 'Identifier' && key.name === name) || (key.type === 'Literal' && key.value === name))
      return property.value
  }
  return undefined
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

function visit(node: unknown, see: (node: Node) => void): void {
  if (typeof node !== 'object' || node === null) return
  if ('type' in node && typeof node.type === 'string') see(node as Node)
  for (const child of Object.values(node)) visit(child, see)
}
