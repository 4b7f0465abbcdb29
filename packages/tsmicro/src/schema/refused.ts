import { Check as matches } from 'typebox/schema'
import {
  alternativesOf,
  canonical,
  constantsOf,
  Incomparable,
  isAnnotation,
  isEmpty,
  isNamed,
  isOpen,
  namesOf,
  nodesOfField,
  othersOf,
  type Parts,
  patternsOf,
  requiredBy,
  type Side,
  typesOf,
} from './alternatives.ts'
import { ANY_NAME, closeSchema } from './close.ts'
import { beyondLimits, longest } from './limits.ts'
import { rootOf, withDefinitions, withNamedParts } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'
import { itemsOf, mentions } from './subschemas.ts'

/** How values travel from one schema to another. */
export interface Journey {
  /** What the reader does with fields that its schema does not name. */
  readonly unknownFields: 'refuse' | 'ignore'
  /** `omitted`: the writer may leave out what has a default, and the reader fills it in. `filled`: both do. `none`: neither. */
  readonly defaults: 'omitted' | 'filled' | 'none'
}

/** Something that may be written and that a reader would refuse. */
interface Refused {
  /** A field such as `address/city`, where `[]` stands for the items of a list; empty = the value itself. */
  readonly path: string
  /** `absent`: a required field may be missing. `unnamed`: the field is unknown. `values`: some of its values are refused. */
  readonly why: 'absent' | 'unnamed' | 'values'
  /** The refused values: `null`, `numbers below 5`. */
  readonly values: string
}

const SOME = 'some values'
const OTHER_FIELDS = '*'

/**
 * Says which values that match one schema another would refuse, by the rules of the compiled checks. Empty only if certainly nothing is refused:
 * a keyword that is not understood must be the same in both. Checks that JSON Schema cannot express (a refinement) are not compared.
 *
 * @example
 * findRefused({ type: 'string' }, { type: 'string', maxLength: 5 }, { unknownFields: 'ignore', defaults: 'none' })
 * // [{ path: '', why: 'values', values: 'strings longer than 5' }]
 */
export function findRefused(written: JsonSchema, read: JsonSchema, journey: Journey): readonly Refused[] {
  const [from, to] = [withNamedParts(written), withNamedParts(read)]
  try {
    return new Comparison(from, to, journey).valuesOf([from], [to], '')
  } catch (error) {
    // A schema may refer to itself without end.
    if (error instanceof RangeError) return [{ path: '', why: 'values', values: SOME }]
    throw error
  }
}

type Nodes = readonly unknown[]

class Comparison {
  readonly #written: Side
  readonly #read: Side
  readonly #journey: Journey
  /** Pairs that are being compared, and how deep within the value. A schema may contain itself. */
  readonly #pending = new Map<string, number>()
  readonly #numbers = new Map<unknown, number>()
  readonly #wholes: { readonly written: JsonSchema; readonly read: JsonSchema }
  #depth = 0

  constructor(written: JsonSchema, read: JsonSchema, journey: Journey) {
    this.#written = { root: rootOf(written), of: 'written' }
    this.#read = { root: rootOf(read), of: 'read' }
    this.#journey = journey
    this.#wholes = { written, read }
  }

  /** What matches all `written` nodes must match all `read` nodes. */
  valuesOf(written: Nodes, read: Nodes, path: string): readonly Refused[] {
    if (this.#areEqual(written, read) || this.#isAmong(written, read)) return []
    const key = `${written.map(this.#numberOf)}:${read.map(this.#numberOf)}`
    const begun = this.#pending.get(key)
    // Deeper within the value, the pair may be taken for compatible: a value that is not would have to be endless.
    if (begun !== undefined) return begun < this.#depth ? [] : [{ path, why: 'values', values: SOME }]
    this.#pending.set(key, this.#depth)
    try {
      const all = alternativesOf(written, this.#written)
      const options = alternativesOf(read, this.#read)
      const found = all
        .filter(parts => !isEmpty(parts, this.#written))
        .flatMap(parts => this.#alternative(parts, read, options, this.#omitted(parts, all), path))
      return [...new Map(found.map(each => [JSON.stringify(each), each])).values()]
    } catch (error) {
      if (error instanceof Incomparable) return [{ path, why: 'values', values: SOME }]
      throw error
    } finally {
      this.#pending.delete(key)
    }
  }

  /** Equal schemas read each other's values, unless their references have other targets. */
  #areEqual(written: Nodes, read: Nodes): boolean {
    const text = canonical(written)
    if (text !== canonical(read)) return false
    if (!text.includes('"$ref"')) return true
    const targets = (nodes: Nodes, { root }: Side) => canonical(nodes.filter(isNode).map(root.definitionsOf))
    return targets(written, this.#written) === targets(read, this.#read)
  }

  /** Whether a list of alternatives, and nothing else, contains the same schema. */
  #isAmong(written: Nodes, [read, ...others]: Nodes): boolean {
    if (!isNode(read) || others.length > 0 || !Array.isArray(read.anyOf)) return false
    const isAlone = Object.keys(read).every(keyword => keyword === 'anyOf' || isAnnotation(keyword))
    return isAlone && read.anyOf.some(branch => this.#areEqual(written, [branch]))
  }

  /** Fields that may be left out: those with a default, also if another alternative has it that the value may match as well. */
  #omitted(parts: Parts, all: readonly Parts[]): readonly string[] {
    if (this.#journey.defaults !== 'omitted') return []
    return defaultedIn(all.filter(other => !isEmpty([...parts, ...other], this.#written)).flat())
  }

  readonly #numberOf = (node: unknown): number => {
    const number = this.#numbers.get(node) ?? this.#numbers.size
    this.#numbers.set(node, number)
    return number
  }

  #alternative(parts: Parts, read: Nodes, options: readonly Parts[], omitted: readonly string[], path: string) {
    const constants = constantsOf(parts)
    if (constants) return this.#constants(constants, read, path)
    return typesOf(parts).flatMap((type): readonly Refused[] => {
      if (type === 'null') return this.#constants([null], read, path)
      if (type === 'boolean') return this.#constants([true, false], read, path)
      const able = options.filter(option => this.#mayRead(option, type))
      const tried = able.map(option => this.#against(type, parts, option, omitted, path))
      const [first, ...others] = tried
      if (!first) return [{ path, why: 'values', values: type }]
      return others.reduce((least, each) => (each.length < least.length ? each : least), first)
    })
  }

  #mayRead(option: Parts, type: string): boolean {
    const types = typesOf(option)
    return types.includes(type) || (type === 'integer' && types.includes('number'))
  }

  #constants(constants: Nodes, read: Nodes, path: string): readonly Refused[] {
    return constants
      .filter(value => !read.every(node => this.#takes(node, value, read.length)))
      .map(value => ({ path, why: 'values', values: JSON.stringify(value) }))
  }

  /** @param together how many nodes describe the value: each of them names only a part of its fields */
  #takes(node: unknown, value: unknown, together: number): boolean {
    if (!isNode(node)) return node !== false
    const isSimple = typeof value !== 'object' || value === null
    if (!isSimple && (together > 1 || this.#mayFill([node], this.#wholes.read))) return false
    const { root } = this.#read
    return matches(withDefinitions(isSimple ? node : closeSchema(node), root, node), value)
  }

  #against(type: string, written: Parts, read: Parts, omitted: readonly string[], path: string): readonly Refused[] {
    const isFilled = this.#mayFill(written, this.#wholes.written) || this.#mayFill(read, this.#wholes.read)
    const beyond = beyondLimits({ type, written, read, isFilled })
    this.#depth += 1
    const inner =
      type === 'object'
        ? [...this.#fields(written, read, omitted, path), ...this.#otherFields(written, read, path)]
        : type === 'array'
          ? this.#items(written, read, path)
          : []
    this.#depth -= 1
    return [...beyond.map((values): Refused => ({ path, why: 'values', values })), ...inner]
  }

  /** Whether values that match may get defaults within them. */
  #mayFill(parts: Parts, whole: JsonSchema): boolean {
    if (this.#journey.defaults === 'none') return false
    return parts.some(({ default: _, ...part }) => {
      const mayRefer = canonical(part).includes('"$ref"')
      return mentions(part, ['default']) || (mayRefer && mentions(whole, ['default']))
    })
  }

  #fields(written: Parts, read: Parts, omitted: readonly string[], path: string): readonly Refused[] {
    const always = new Set(requiredBy(written).filter(name => !omitted.includes(name)))
    const initial = this.#journey.defaults === 'none' ? [] : defaultedIn(read)
    const missing = [...new Set([...requiredBy(read), ...initial])]
      // A field that is required but not named is dropped before it can be found.
      .filter(name => !always.has(name) || !isNamed(read, name, this.#read))
      .filter(name => !(initial.includes(name) && this.#takesDefault(read, name)))
      .map((name): Refused => ({ path: below(path, name), why: 'absent', values: '' }))
    const names = [...namesOf(written), ...namesOf(read).filter(name => isNamed(written, name, this.#written))]
    const refused = [...new Set(names)].flatMap((name): readonly Refused[] => {
      const [own, others] = [nodesOfField(written, name), nodesOfField(read, name)]
      if (own.includes(false)) return []
      if (this.#refuses(isNamed(read, name, this.#read)))
        return [{ path: below(path, name), why: 'unnamed', values: '' }]
      return this.valuesOf(own, others, below(path, name))
    })
    return [...missing, ...refused]
  }

  #refuses(isKnown: boolean): boolean {
    return this.#journey.unknownFields === 'refuse' && !isKnown
  }

  /** Whether every default of a field matches what the field must match. */
  #takesDefault(read: Parts, name: string): boolean {
    const nodes = nodesOfField(read, name)
    const initial = nodes.filter(isNode).map(node => node.default)
    return initial
      .filter(value => value !== undefined)
      .every(value => nodes.every(node => this.#takes(node, value, nodes.length)))
  }

  /** Fields that are not named one by one. */
  #otherFields(written: Parts, read: Parts, path: string): readonly Refused[] {
    const at = below(path, OTHER_FIELDS)
    const compare = (nodes: Nodes, pattern?: string): readonly Refused[] => {
      if (nodes.includes(false)) return []
      const isCovered = (part: JsonSchema) => patternsOf(part).some(([each]) => each === ANY_NAME || each === pattern)
      if (this.#refuses(isOpen(read, this.#read) || read.some(isCovered)))
        return [{ path: at, why: 'unnamed', values: '' }]
      const others = read.flatMap(part => [
        ...patternsOf(part).map(([, node]) => node),
        ...(isCovered(part) ? [] : othersOf(part)),
      ])
      return this.valuesOf(nodes, others, at)
    }
    return [
      ...written.flatMap(patternsOf).flatMap(([pattern, node]) => compare([node], pattern)),
      ...(isOpen(written, this.#written) ? compare(written.flatMap(othersOf)) : []),
    ]
  }

  #items(written: Parts, read: Parts, path: string): readonly Refused[] {
    const places = Math.max(...[...written, ...read].map(part => itemsOf(part).first.length))
    const most = longest(written)
    const found = Array.from({ length: Math.min(places, most) }, (_, index) =>
      this.valuesOf(nodesOfItem(written, index), nodesOfItem(read, index), below(path, String(index))),
    )
    const rest = most > places ? this.valuesOf(nodesOfItem(written), nodesOfItem(read), below(path, '[]')) : []
    return [...found.flat(), ...rest]
  }
}

const below = (path: string, step: string) => (path === '' ? step : `${path}/${step}`)

/** What an item must match; without an index, what all further ones must match. */
function nodesOfItem(parts: Parts, index = Number.POSITIVE_INFINITY): Nodes {
  return parts.flatMap(part => {
    const { first, rest } = itemsOf(part)
    const node = index < first.length ? first[index] : rest
    return node === undefined ? [] : [node]
  })
}

/** Fields that have a default. */
function defaultedIn(parts: Parts): readonly string[] {
  return namesOf(parts).filter(name =>
    parts.some(({ properties }) => {
      const node = isNode(properties) ? properties[name] : undefined
      return isNode(node) && node.default !== undefined
    }),
  )
}
