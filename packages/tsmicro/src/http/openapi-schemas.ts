import { isNode, type JsonSchema } from '../schema/index.ts'

/**
 * Collects the named schemas of a document. A schema's own `$defs` are moved there: inside the document, `#/$defs/Node` and
 * TypeBox's plain `Node` would point at nothing.
 */
export class SchemaCollection {
  readonly #named: Record<string, JsonSchema>

  constructor(named: Record<string, JsonSchema>) {
    this.#named = { ...named }
  }

  get named(): Readonly<Record<string, JsonSchema>> {
    return this.#named
  }

  /** @param owner unique in the document; begins the names of what is moved */
  add(schema: JsonSchema, owner: string): JsonSchema {
    const definitions = { ...(schema.$defs as object), ...(schema.definitions as object) } as Record<string, JsonSchema>
    const names = Object.keys(definitions)
    const self = JSON.stringify(schema).includes('"$ref":"#"')
    if (names.length === 0 && !self) return schema
    const pointer = (name: string) => `#/components/schemas/${owner}.${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}`
    const targets = new Map(
      names.flatMap(name => [name, `#/$defs/${name}`, `#/definitions/${name}`].map(ref => [ref, pointer(name)])),
    )
    targets.set('#', pointer('Root'))
    const moved = (node: unknown): unknown => {
      if (Array.isArray(node)) return node.map(moved)
      if (!isNode(node)) return node
      const { $defs, definitions, $id, ...rest } = node
      return Object.fromEntries(
        Object.entries(rest).map(([key, value]) => [
          key,
          key === '$ref' ? (targets.get(String(value)) ?? value) : moved(value),
        ]),
      )
    }
    for (const name of names)
      this.#named[pointer(name).slice('#/components/schemas/'.length)] = moved(definitions[name]) as JsonSchema
    const root = moved(schema) as JsonSchema
    if (!self) return root
    this.#named[`${owner}.Root`] = root
    return { $ref: pointer('Root') }
  }
}
