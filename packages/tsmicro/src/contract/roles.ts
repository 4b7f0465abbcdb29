/**
 * A role as an access rule: the caller must be signed in and have this role or a higher one.
 *
 * @example
 * const { role, rank }: Role = defineRoles('READER', 'WRITER').WRITER
 * `${role} ${rank}` // 'WRITER 1'
 */
export interface Role<Name extends string = string> {
  readonly role: Name
  /** Position in the hierarchy. A higher role may do everything that a lower one may. */
  readonly rank: number
}

/**
 * What {@link defineRoles} returns: an access rule for each name, and functions that check roles.
 *
 * @example
 * const roles: Roles<['READER', 'WRITER']> = defineRoles('READER', 'WRITER')
 */
export type Roles<Names extends readonly string[]> = { readonly [N in Names[number]]: Role<N> } & RoleQueries<
  Names[number]
>

interface RoleQueries<Name extends string> {
  /** All names, lowest first. */
  readonly names: readonly Name[]
  /** True if one of the `held` roles is `needed` or a higher one. Undeclared names satisfy nothing. */
  satisfies(held: readonly string[], needed: string): boolean
}

/**
 * Declares an application's roles, lowest first. The framework itself declares none.
 *
 * @example
 * const roles = defineRoles('LEARNER', 'AUTHOR', 'EDITOR', 'ADMIN')
 * roles.satisfies(['EDITOR'], 'AUTHOR') // true
 * procedure({ http: 'POST /author', access: roles.AUTHOR })
 * @throws {TypeError} when a name appears twice or is not in UPPER_CASE
 */
export function defineRoles<const Names extends readonly string[]>(...names: Names): Roles<Names> {
  for (const name of names) {
    if (!/^[A-Z][A-Z0-9_]*$/.test(name)) throw new TypeError(`role ${JSON.stringify(name)}: write it in UPPER_CASE`)
  }
  if (new Set(names).size !== names.length) throw new TypeError(`roles named twice: ${names.join(', ')}`)
  const rankOf = new Map<string, number>(names.map((name, rank) => [name, rank]))
  const rules = Object.fromEntries(names.map((name, rank) => [name, Object.freeze({ role: name, rank })]))
  const satisfies = (held: readonly string[], needed: string) => {
    const rank = rankOf.get(needed)
    return rank !== undefined && held.some(name => (rankOf.get(name) ?? -1) >= rank)
  }
  return Object.freeze({ ...rules, names, satisfies }) as unknown as Roles<Names>
}
