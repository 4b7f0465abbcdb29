import type { Shape } from './shape.ts'

/**
 * What comes out of a value that matches: transforms done, defaults filled in, fields that are not named left out. Alternatives
 * are told apart by `accepts`.
 */
export function decoded(shape: Shape, value: unknown, accepts: (shape: Shape, value: unknown) => boolean): unknown {
  const inner = (of: Shape, member: unknown) => decoded(of, member, accepts)
  switch (shape.kind) {
    case 'price':
      return Number(value)
    case 'time':
      return new Date(value as string)
    case 'list':
      return (value as unknown[]).map(item => inner(shape.of, item))
    case 'tuple':
      return (value as unknown[]).map((item, index) =>
        inner(shape.of[index] ?? shape.rest ?? { kind: 'anything' }, item),
      )
    case 'record':
      return Object.fromEntries(
        Object.entries(value as object).map(([name, member]) => [name, inner(shape.of, member)]),
      )
    case 'fields': {
      const given = value as Record<string, unknown>
      const members = shape.fields.flatMap(({ name, of, initial }) => {
        if (Object.hasOwn(given, name)) return [[name, inner(of, given[name])]]
        return initial === undefined ? [] : [[name, initial]]
      })
      return Object.fromEntries(members)
    }
    case 'all':
      return Object.assign({}, ...shape.of.map(each => inner(each, value) as object))
    case 'either': {
      const branch = shape.of.find(each => accepts(each, value))
      return branch ? inner(branch, value) : value
    }
    case 'tree': {
      const { n, kids } = value as { n: number; kids: unknown[] }
      return { n, kids: kids.map(kid => inner(shape, kid)) }
    }
    default:
      return value
  }
}
