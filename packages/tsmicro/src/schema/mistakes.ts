import { Format } from 'typebox/format'
import { interpreted } from './interpret.ts'
import { unwritableIn } from './json-form.ts'
import { formatProblems } from './problems.ts'
import { isDangling, isEndless, type Root, withDefinitions } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'
import { dependentsOf, mentions } from './subschemas.ts'

/** For who reads the documentation: any text has it. */
const WITHOUT_CHECK: readonly unknown[] = ['password']

/** What is wrong with a node of a schema, and what to do; undefined if it can work. Its subschemas are not looked at. */
export function mistakeIn(node: JsonSchema, root: Root, isStandard: boolean): string | undefined {
  if (isDangling(node, root)) return `refers to ${node.$ref}, which is not defined: add it to $defs, or use Type.Cyclic`
  if (isEndless(node, root)) return 'is defined by itself: refer to it only in a field or in the items of a list'
  // A library checks its own schemas.
  if (isStandard) return undefined
  return (
    wrongConstant(node) ?? wrongPattern(node) ?? wrongFormat(node) ?? wrongDefault(node, root) ?? unfilled(node, root)
  )
}

/** Texts, numbers and the like: how a value is shown in a message. */
export function shown(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : String(value)
}

function wrongConstant(node: JsonSchema): string | undefined {
  const constants = 'const' in node ? [node.const] : Array.isArray(node.enum) ? node.enum : []
  const wrong = constants.find(each => each === undefined || unwritableIn(each))
  return constants.includes(wrong) ? `may be ${shown(wrong)}, which JSON cannot carry: declare a text` : undefined
}

function wrongPattern({ pattern, patternProperties }: JsonSchema): string | undefined {
  const patterns = [pattern, ...Object.keys(isNode(patternProperties) ? patternProperties : {})]
  for (const each of patterns.filter(each => typeof each === 'string'))
    try {
      new RegExp(each, 'u')
    } catch (error) {
      return `has the pattern ${JSON.stringify(each)}, which is wrong: ${(error as Error).message}`
    }
  return undefined
}

function wrongFormat({ type, format }: JsonSchema): string | undefined {
  if (type !== 'string' || typeof format !== 'string' || Format.Has(format) || WITHOUT_CHECK.includes(format))
    return undefined
  const known = Format.Entries().map(([name]) => name)
  return `has the format ${JSON.stringify(format)}, which no text is checked for: use ${known.join(', ')}, or Type.Refine`
}

function wrongDefault(node: JsonSchema, root: Root): string | undefined {
  if (node.default === undefined) return undefined
  const checked = interpreted.request(withDefinitions(node, root), 'refuse')(node.default)
  if (checked instanceof Promise || !checked.problems) return undefined
  return `has a default that does not match it: ${formatProblems(checked.problems)}`
}

/** Defaults are filled in before a value is checked, when nobody knows yet which conditions it meets. */
function unfilled(node: JsonSchema, root: Root): string | undefined {
  const conditional = [node.if, node.then, node.else, ...dependentsOf(node).map(([, member]) => member)].filter(isNode)
  return conditional.some(part => mentions(root.resolve(part), ['default']))
    ? 'has a default within if, then, else or dependentSchemas, which is never filled in: declare it in properties beside them'
    : undefined
}
