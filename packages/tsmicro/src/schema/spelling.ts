import { acceptsOf } from './accepts.ts'
import { Kinds } from './kinds.ts'
import { numberOf } from './numbers.ts'
import { itemsOf, type Root } from './references.ts'
import type { JsonSchema } from './schema.ts'

/** What a text, or a list of them, stands for; a text that spells nothing that is wanted stays one. */
export type Spelling = (value: unknown) => unknown

/** Prepares the reading of one field. */
export function compileSpelling(node: JsonSchema, root: Root): Spelling {
  const kinds = new Kinds(node, root)
  const read = textOf(kinds, node, root)
  if (kinds.lists.length === 0)
    return value => (typeof value === 'string' ? (read(value) ?? orNull(value, kinds)) : value)
  const list = listOf(kinds.lists, root)
  return value => {
    if (Array.isArray(value)) return list(value)
    if (typeof value !== 'string') return value
    const alone = read(value)
    if (alone !== undefined) return alone
    return value === 'null' && kinds.types.has('null') ? null : list([value])
  }
}

function orNull(text: string, { types, constants }: Kinds): unknown {
  return text === 'null' && (types.has('null') || constants.includes(null)) ? null : text
}

/** Undefined for a text that spells nothing that is wanted. */
function textOf(kinds: Kinds, node: JsonSchema, root: Root): (text: string) => unknown {
  const { types, constants, freeText } = kinds
  const texts = new Set(constants.filter(constant => typeof constant === 'string'))
  const others = constants.filter(constant => typeof constant === 'number' || typeof constant === 'boolean')
  const alternatives = types.size > 1 || constants.length > 0
  // Only where a text that is held to something has alternatives does it take a check to tell.
  const accepts = types.has('string') && !freeText && alternatives ? acceptsOf(node, root) : undefined
  if (freeText || (types.has('string') && !alternatives)) return text => text
  const whole = types.has('integer') && !types.has('number')
  const numbers = whole || types.has('number')
  return text => {
    if (texts.has(text) || accepts?.(text)) return text
    const number = numberOf(text)
    const constant = others.find(each => each === number || String(each) === text)
    if (constant !== undefined) return constant
    if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
    return numbers && !(whole && /e/i.test(text)) ? number : undefined
  }
}

function listOf(lists: readonly JsonSchema[], root: Root): (values: readonly unknown[]) => unknown {
  if (lists.length > 1) {
    const options = lists.map(each => ({ read: listOf([each], root), accepts: acceptsOf(each, root) }))
    return values => {
      const tried = options.map(({ read, accepts }) => ({ value: read(values), accepts }))
      return (tried.find(({ value, accepts }) => accepts(value)) ?? tried[0])?.value
    }
  }
  const { first, rest } = itemsOf(lists[0] ?? {})
  const places = first.map(each => compileSpelling(each as JsonSchema, root))
  const others = compileSpelling(root.resolve(rest), root)
  return values => values.map((value, index) => (places[index] ?? others)(value))
}
