import { closeSchema } from './close.ts'
import { type Matcher, type Root, rootOf, withDefinitions } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'
import { branchesOf, itemsOf, mentions } from './subschemas.ts'

/** Copies only what changes: a value that lacks nothing is returned unchanged. */
type Fill = (value: unknown) => unknown

const SAME: Fill = value => value

/**
 * Compiles a function that fills in defaults for absent properties at any depth: in objects within objects and lists, and in the
 * alternative that a value matches. Returns `undefined` if the schema has no defaults.
 */
export function compileDefaults(schema: JsonSchema, matcher: Matcher): Fill | undefined {
  return mentions(schema, ['default']) ? new Defaults(rootOf(schema), matcher).fillOf(schema) : undefined
}

class Defaults {
  readonly #root: Root
  readonly #matcher: Matcher
  readonly #known = new Map<JsonSchema, Fill>()

  constructor(root: Root, matcher: Matcher) {
    this.#root = root
    this.#matcher = matcher
  }

  fillOf(given: unknown): Fill {
    const node = this.#root.resolve(given)
    const known = this.#known.get(node)
    if (known) return known
    // A schema may contain itself: while it is being built, others get a reference to the finished result.
    let made = SAME
    this.#known.set(node, value => made(value))
    const parts = [
      ...(Array.isArray(node.allOf) ? node.allOf.map(member => this.fillOf(member)) : []),
      this.#ofObject(node),
      this.#ofList(node),
      this.#ofBranches(node),
    ].filter(part => part !== SAME)
    made = parts.length > 1 ? value => parts.reduce((filled, part) => part(filled), value) : (parts[0] ?? SAME)
    if (made === SAME) this.#known.set(node, SAME)
    return made
  }

  #ofObject(node: JsonSchema): Fill {
    const members = Object.entries(isNode(node.properties) ? node.properties : {}).flatMap(([name, member]) => {
      const fill = this.fillOf(member)
      const initial = (member as JsonSchema).default
      return initial === undefined && fill === SAME ? [] : [{ name, fill, initial: initialOf(initial, fill) }]
    })
    const patterns = Object.entries(isNode(node.patternProperties) ? node.patternProperties : {}).map(
      ([pattern, member]) => ({ pattern: new RegExp(pattern, 'u'), fill: this.fillOf(member) }),
    )
    const others = isNode(node.additionalProperties) ? this.fillOf(node.additionalProperties) : SAME
    const open = others !== SAME || patterns.some(({ fill }) => fill !== SAME)
    if (members.length === 0 && !open) return SAME
    const named = new Set(Object.keys(isNode(node.properties) ? node.properties : {}))
    return value => {
      if (!isNode(value)) return value
      const changes: [string, unknown][] = []
      for (const { name, fill, initial } of members) {
        const member = Object.hasOwn(value, name) ? value[name] : undefined
        const filled = member === undefined ? initial() : fill(member)
        if (filled !== member) changes.push([name, filled])
      }
      if (open) {
        for (const [name, member] of Object.entries(value)) {
          if (named.has(name)) continue
          const filled = (patterns.find(({ pattern }) => pattern.test(name))?.fill ?? others)(member)
          if (filled !== member) changes.push([name, filled])
        }
      }
      return changes.length === 0 ? value : { ...value, ...Object.fromEntries(changes) }
    }
  }

  #ofList(node: JsonSchema): Fill {
    const { first, rest } = itemsOf(node)
    const places = first.map(item => this.fillOf(item))
    const others = isNode(rest) ? this.fillOf(rest) : SAME
    if (others === SAME && places.every(place => place === SAME)) return SAME
    return value => {
      if (!Array.isArray(value)) return value
      const filled = value.map((item, index) => (places[index] ?? others)(item))
      return filled.every((item, index) => item === value[index]) ? value : filled
    }
  }

  /** Uses the alternative that names all fields of the value, or else the first that accepts it, with its defaults. */
  #ofBranches(node: JsonSchema): Fill {
    const branches = branchesOf(node).map(branch => this.#root.resolve(branch))
    const fills = branches.map(branch => this.fillOf(branch))
    if (fills.every(fill => fill === SAME)) return SAME
    const options = branches.map((branch, index) => ({
      fill: fills[index] ?? SAME,
      names: this.#matcher(withDefinitions(closeSchema(branch), this.#root, branch)),
      accepts: this.#matcher(withDefinitions(branch, this.#root)),
    }))
    return value => {
      const tried = options.map(({ fill, ...checks }) => ({ ...checks, filled: fill(value) }))
      const chosen =
        tried.find(({ names, filled }) => names(filled)) ?? tried.find(({ accepts, filled }) => accepts(filled))
      return chosen ? chosen.filled : value
    }
  }
}

/** Makes a new default each time, including the defaults within it. */
function initialOf(initial: unknown, fill: Fill): () => unknown {
  if (initial === undefined) return () => undefined
  const whole = fill(initial)
  return typeof whole === 'object' && whole !== null ? () => structuredClone(whole) : () => whole
}
