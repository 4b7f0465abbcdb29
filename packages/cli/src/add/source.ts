import { type Node, parseSync } from 'oxc-parser'
import { CliError } from '../errors.ts'

export type ObjectNode = Extract<Node, { type: 'ObjectExpression' }>
type CallNode = Extract<Node, { type: 'CallExpression' }>
type ImportNode = Extract<Node, { type: 'ImportDeclaration' }>

/** Text that is put into a source. */
export interface Insertion {
  readonly at: number
  readonly insert: string
}

/** @throws CliError if the source is not TypeScript */
export function parseSource(file: string, text: string): Node {
  const { program, errors } = parseSync(file, text)
  if (errors[0]) throw new CliError(`${file} cannot be read: ${errors[0].message}`)
  return program
}

export function visit(node: unknown, see: (node: Node) => void): void {
  if (typeof node !== 'object' || node === null) return
  if ('type' in node && typeof node.type === 'string') see(node as Node)
  for (const child of Object.values(node)) visit(child, see)
}

/** All calls of a function by its plain name. */
export function callsOf(program: Node, name: string): readonly CallNode[] {
  const found: CallNode[] = []
  visit(program, node => {
    if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === name)
      found.push(node)
  })
  return found
}

export function memberOf({ properties }: ObjectNode, name: string): Node | undefined {
  for (const property of properties) {
    if (property.type !== 'Property') continue
    const { key } = property
    if ((key.type === 'Identifier' && key.name === name) || (key.type === 'Literal' && key.value === name))
      return property.value
  }
  return undefined
}

const COMMENTS = /\/\*[\s\S]*?\*\/|\/\/.*/g

/** Puts a member at the end of an object literal, on lines of its own, one step further in than the object. */
export function memberAdded(text: string, object: ObjectNode, lines: readonly string[]): readonly Insertion[] {
  const last = object.properties.at(-1)
  const brace = object.end - 1
  const before = text.slice(text.lastIndexOf('\n', brace) + 1, brace)
  const indent = /^[ \t]*/.exec(before)?.[0] ?? ''
  const inner = lines.map(line => (line === '' ? '' : `${indent}  ${line}`)).join('\n')
  const insert = before.trim() === '' ? `${inner.slice(indent.length)}\n${indent}` : `\n${inner}\n${indent}`
  const rest = last && text.slice(last.end, object.end).replaceAll(COMMENTS, '')
  const comma = last && !rest?.includes(',') ? [{ at: last.end, insert: ',' }] : []
  return [...comma, { at: brace, insert }]
}

/** What a source imports of a module, if it does not yet. Types alone do not count. */
export function importAdded(text: string, program: Node, module: string, name: string): readonly Insertion[] {
  const declarations = importsOf(program)
  const same = declarations.find(each => each.source.value === module && each.importKind !== 'type')
  const named = same?.specifiers.filter(each => each.type === 'ImportSpecifier') ?? []
  if (named.some(({ local }) => local.name === name)) return []
  const next = named.find(({ local }) => local.name.toLowerCase() > name.toLowerCase())
  if (next) return [{ at: next.start, insert: `${name}, ` }]
  const previous = named.at(-1)
  if (previous) return [{ at: previous.end, insert: `, ${name}` }]
  const after = declarations.at(-1)
  const line = `import { ${name} } from '${module}'\n`
  return [{ at: after ? text.indexOf('\n', after.end) + 1 : 0, insert: line }]
}

function importsOf(program: Node): readonly ImportNode[] {
  const found: ImportNode[] = []
  visit(program, node => {
    if (node.type === 'ImportDeclaration') found.push(node)
  })
  return found
}

/** Where a name in a source comes from: `../../contracts/orders.ts`. */
export function sourceOf(program: Node, name: string): string | undefined {
  const from = importsOf(program).find(({ specifiers }) => specifiers.some(({ local }) => local.name === name))
  return from?.source.value
}

/** @throws CliError if that is no longer TypeScript: then nothing may be written */
export function withInsertions(file: string, text: string, insertions: readonly Insertion[]): string {
  const changed = insertions
    .toSorted((one, other) => other.at - one.at)
    .reduce((source, { at, insert }) => source.slice(0, at) + insert + source.slice(at), text)
  parseSource(file, changed)
  return changed
}
