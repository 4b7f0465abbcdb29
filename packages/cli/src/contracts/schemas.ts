import { findRefused, isNode, type Journey, type JsonSchema, type Root, rootOf } from 'tsmicro/internal'

/** A difference between contracts and their recorded form. */
export interface Change {
  /** The procedure, event or role: `auth.signUp`. */
  readonly name: string
  /** One line that says what is different now, and for whom. */
  readonly what: string
  /** What to do instead, if it breaks somebody; undefined if it does not. */
  readonly instead?: string
}

export type Found = readonly Omit<Change, 'name'>[]

/** Compares what others send with what is accepted from now on. */
export function inputChanged(
  part: string,
  written: JsonSchema,
  read: JsonSchema,
  journey: Journey,
  instead: { readonly absent: string; readonly others: string },
): Found {
  if (isSame(written, read)) return []
  const refused = findRefused(written, read, journey).map(({ path, why, values }) => {
    if (why === 'absent') return { what: `${part}: ${path} is required now`, instead: instead.absent }
    const what = why === 'unnamed' ? 'is no longer accepted' : `no longer accepts ${values}`
    return { what: [`${part}:`, path, what].filter(Boolean).join(' '), instead: instead.others }
  })
  if (refused.length > 0) return refused
  const added = missingIn(written, read)
  if (added.length === 0) return [{ what: `${part}: accepts all that it accepted` }]
  return added.map(path => ({ what: `${part}: ${path} is new, and may be left out` }))
}

/**
 * Compares what is answered or announced from now on with what others read. A field that is gone breaks them even if it was optional: they
 * would wait for it in vain.
 */
export function outputChanged(
  part: string,
  read: JsonSchema,
  written: JsonSchema,
  journey: Journey,
  instead: string,
): Found {
  if (isSame(written, read)) return []
  const gone = missingIn(written, read)
  const isGone = (path: string) => gone.some(each => path === each || path.startsWith(`${each}/`))
  const refused = findRefused(written, read, journey)
    .filter(({ path }) => !isGone(path))
    .map(({ path, why, values }) => {
      const what = why === 'absent' ? 'may be missing now' : `may now be ${values}`
      return [`${part}:`, path, what].filter(Boolean).join(' ')
    })
  const breaks = [...gone.map(path => `${part}: ${path} is removed`), ...refused]
  if (breaks.length > 0) return breaks.map(what => ({ what, instead }))
  const added = missingIn(read, written)
  if (added.length === 0) return [{ what: `${part}: those who read it before can read it still` }]
  return added.map(path => ({ what: `${part}: ${path} is new: those who do not know it drop it` }))
}

function isSame(one: JsonSchema, other: JsonSchema): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** The fields that only the other schema has, without those within them. */
function missingIn(schema: JsonSchema, other: JsonSchema): readonly string[] {
  const known = fieldsOf(schema)
  const missing = [...fieldsOf(other)].filter(path => !known.has(path))
  return missing.filter(path => !missing.some(each => path.startsWith(`${each}/`)))
}

function fieldsOf(schema: JsonSchema): ReadonlySet<string> {
  const found = new Set<string>()
  collect(schema, '', { root: rootOf(schema), found, above: [] })
  return found
}

interface Search {
  readonly root: Root
  readonly found: Set<string>
  /** A schema may contain itself. */
  readonly above: readonly JsonSchema[]
}

function collect(given: unknown, path: string, { root, found, above }: Search): void {
  if (!isNode(given)) return
  const node = root.resolve(given)
  if (above.includes(node)) return
  const inner = { root, found, above: [...above, node] }
  const visit = (members: unknown, step = '') => {
    for (const member of [members].flat()) collect(member, [path, step].filter(Boolean).join('/'), inner)
  }
  for (const [name, member] of Object.entries(isNode(node.properties) ? node.properties : {})) {
    found.add([path, name].filter(Boolean).join('/'))
    visit(member, name)
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) visit(node[keyword])
  for (const keyword of ['items', 'prefixItems', 'additionalItems']) visit(node[keyword], '[]')
  visit(node.additionalProperties, '*')
  if (isNode(node.patternProperties)) visit(Object.values(node.patternProperties), '*')
}
