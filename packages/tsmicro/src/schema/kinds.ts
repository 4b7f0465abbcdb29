import { branchesOf, type Root } from './references.ts'
import type { JsonSchema } from './schema.ts'

const TEXT_RULES = ['pattern', 'format', 'minLength', 'maxLength'] as const

/** What a value may be, over all of a schema's alternatives. */
export class Kinds {
  readonly constants: unknown[] = []
  readonly lists: JsonSchema[] = []
  readonly types = new Set<unknown>()
  /** Texts that are held to something. */
  readonly boundTexts: JsonSchema[] = []
  /** There is a text that is not held to anything: `"5"` may be a name. */
  freeText = false

  constructor(node: JsonSchema, root: Root) {
    this.#add(node, root, 0)
  }

  #add(given: JsonSchema, root: Root, depth: number): void {
    const node = root.resolve(given)
    const members = [...branchesOf(node), ...(Array.isArray(node.allOf) ? node.allOf : [])] as JsonSchema[]
    if (members.length > 0 && depth < 20) for (const member of members) this.#add(member, root, depth + 1)
    else if ('const' in node) this.constants.push(node.const)
    else if (Array.isArray(node.enum)) this.constants.push(...node.enum)
    else if (node.type === undefined) this.freeText = true
    else for (const type of [node.type].flat()) this.#addType(type, node)
  }

  #addType(type: unknown, node: JsonSchema): void {
    this.types.add(type)
    if (type === 'array') this.lists.push(node)
    if (type !== 'string') return
    if (TEXT_RULES.some(rule => rule in node)) this.boundTexts.push(node)
    else this.freeText = true
  }
}
