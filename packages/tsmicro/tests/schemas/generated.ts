import fc from 'fast-check'
import type { Library } from './libraries.ts'
import type { Field, Fields, Shape } from './shape.ts'

/** Random shapes, and values for them: most match, some nearly. */

/** zod, valibot and arktype take what every object inherits for a field that is there. */
const namesFor = (library: Library) => ['a', 'b', 'c', library === 'typebox' ? 'constructor' : 'd']
const TEXTS = [
  '',
  'a',
  'ab',
  'abc',
  '5',
  '12',
  '-1',
  '1.5',
  'true',
  'null',
  'x y',
  'é"',
  '2026-01-02T03:04:05Z',
] as const
const NUMBERS = [0, 1, 2, 5, -1, 10, 1.5, 0.1, 1e21, 1e-7, 2 ** 53, 123456] as const

const text: fc.Arbitrary<Shape> = fc.oneof(
  fc.constant<Shape>({ kind: 'text' }),
  fc.record({ kind: fc.constant('text' as const), min: fc.nat(2), max: fc.integer({ min: 2, max: 4 }) }),
  fc.constant<Shape>({ kind: 'text', letters: true }),
)
const number: fc.Arbitrary<Shape> = fc.oneof(
  fc.constantFrom<Shape>({ kind: 'whole' }, { kind: 'number' }),
  fc.record({
    kind: fc.constantFrom('whole' as const, 'number' as const),
    min: fc.integer({ min: -1, max: 2 }),
    max: fc.integer({ min: 2, max: 9 }),
  }),
)
const constants: fc.Arbitrary<Shape> = fc
  .uniqueArray(fc.constantFrom('a', '1', 'true', 'null', 1, 2, 1.5, true, false, null), { minLength: 1, maxLength: 4 })
  .map(values => ({ kind: 'constants', values }))
const plainLeaf = fc.oneof(text, number, constants, fc.constantFrom<Shape>({ kind: 'flag' }, { kind: 'none' }))
const decodedLeaf = fc.constantFrom<Shape>({ kind: 'price' }, { kind: 'time' })

const leafOf = (library: Library) =>
  library === 'typebox'
    ? plainLeaf
    : fc.oneof({ arbitrary: plainLeaf, weight: 3 }, { arbitrary: decodedLeaf, weight: 2 })

const fieldsOf = (library: Library, of: fc.Arbitrary<Shape>, names = namesFor(library)): fc.Arbitrary<Fields> =>
  fc
    .uniqueArray(
      fc.tuple(
        fc.constantFrom(...names),
        fc.oneof({ arbitrary: withInitial, weight: 1 }, { arbitrary: fieldOf(of), weight: 5 }),
      ),
      {
        selector: ([name]) => name,
        // arktype's type of an object without fields is that of any object.
        minLength: library === 'arktype' ? 1 : 0,
        maxLength: names.length,
      },
    )
    .map(fields => ({ kind: 'fields', fields: fields.map(([name, field]) => ({ name, ...field })) }))
const fieldOf = (of: fc.Arbitrary<Shape>): fc.Arbitrary<Omit<Field, 'name'>> =>
  fc.record({ of, optional: fc.boolean() })
const withInitial: fc.Arbitrary<Omit<Field, 'name'>> = fc.constantFrom(
  { of: { kind: 'whole' }, optional: false, initial: 10 },
  { of: { kind: 'text' }, optional: false, initial: 'first' },
  { of: { kind: 'flag' }, optional: false, initial: false },
)

/** Alternatives that a value tells apart: of objects that are not marked, which of them is meant is a library's own business. */
const marked = (library: Library, of: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> =>
  fc.tuple(fieldsOf(library, of), fieldsOf(library, of)).map(both => ({
    kind: 'either',
    of: both.map(({ fields }, index) => ({
      kind: 'fields',
      fields: [{ name: 'kind', of: { kind: 'constants', values: [`k${index}`] }, optional: false }, ...fields],
    })),
  }))

export function shapeOf(library: Library): fc.Arbitrary<Shape> {
  return fc.letrec<{ any: Shape }>(tie => {
    const inner = tie('any')
    const leaf = leafOf(library)
    return {
      any: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        { arbitrary: leaf, weight: 4 },
        { arbitrary: fieldsOf(library, inner), weight: 5 },
        {
          arbitrary: fc.record({ kind: fc.constant('list' as const), of: inner, max: fc.integer({ min: 1, max: 5 }) }),
          weight: 2,
        },
        {
          arbitrary: fc.array(inner, { minLength: 1, maxLength: 3 }).map((of): Shape => ({ kind: 'tuple', of })),
          weight: 1,
        },
        {
          arbitrary: fc.tuple(inner, inner).map(([first, rest]): Shape => ({ kind: 'tuple', of: [first], rest })),
          weight: 1,
        },
        { arbitrary: inner.map((of): Shape => ({ kind: 'record', of })), weight: 1 },
        { arbitrary: marked(library, inner), weight: 2 },
        {
          arbitrary: fc
            .uniqueArray(plainLeaf, { minLength: 2, maxLength: 3, selector: ({ kind }) => kind })
            .map((of): Shape => ({ kind: 'either', of })),
          weight: 2,
        },
        {
          arbitrary: fc.tuple(inner, fc.constant<Shape>({ kind: 'none' })).map((of): Shape => ({ kind: 'either', of })),
          weight: 2,
        },
        {
          arbitrary: fc
            .tuple(fieldsOf(library, inner, ['a', 'b']), fieldsOf(library, inner, namesFor(library).slice(2)))
            .map((of): Shape => ({ kind: 'all', of })),
          weight: 1,
        },
        { arbitrary: fc.constantFrom<Shape>({ kind: 'tree' }, { kind: 'anything' }), weight: 1 },
        ...(library === 'typebox'
          ? [
              {
                arbitrary: fc
                  .tuple(fieldsOf(library, inner), fieldsOf(library, inner))
                  .map((of): Shape => ({ kind: 'either', of })),
                weight: 1,
              },
            ]
          : []),
      ),
    }
  }).any
}

const scalar = fc.oneof(fc.constantFrom(...TEXTS), fc.constantFrom(...NUMBERS), fc.constantFrom(true, false, null))
const junk: fc.Arbitrary<unknown> = fc.oneof(scalar, fc.constantFrom<unknown>([], {}, [1], { zz: 1 }, ['a', null]))

/** A value for a shape; each part of it may be something else, and each object may have a field too many. */
function valueFor(shape: Shape): fc.Arbitrary<unknown> {
  return fc.oneof({ arbitrary: goodOf(shape), weight: 14 }, { arbitrary: junk, weight: 1 })
}

/** As it is read from a message. */
export const messageFor = (shape: Shape): fc.Arbitrary<unknown> =>
  valueFor(shape).map(value => JSON.parse(JSON.stringify(value)))

function goodOf(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'text':
      return fc.constantFrom(...TEXTS)
    case 'whole':
      return fc.integer({ min: shape.min ?? -5, max: shape.max ?? 12 })
    case 'number':
      return fc.constantFrom(...NUMBERS)
    case 'flag':
      return fc.boolean()
    case 'none':
      return fc.constant(null)
    case 'anything':
      return junk
    case 'constants':
      return fc.constantFrom(...shape.values)
    case 'list':
      return fc.array(valueFor(shape.of), { maxLength: 3 })
    case 'tuple':
      return fc
        .tuple(
          fc.tuple(...shape.of.map(valueFor)),
          fc.array(shape.rest ? valueFor(shape.rest) : junk, { maxLength: shape.rest ? 2 : 0 }),
        )
        .map(([first, rest]) => [...first, ...rest])
    case 'fields':
      return objectOf(shape.fields)
    case 'record':
      return fc.dictionary(fc.constantFrom('a', 'b', 'c', 'zz', 'toString'), valueFor(shape.of), { maxKeys: 3 })
    case 'either':
      return fc.oneof(...shape.of.map(goodOf))
    case 'all':
      return fc.tuple(...shape.of.map(({ fields }) => objectOf(fields))).map(parts => Object.assign({}, ...parts))
    case 'tree':
      return fc.letrec<{ tree: unknown }>(tie => ({
        tree: fc.record(
          {
            n: valueFor({ kind: 'whole' }),
            kids: fc.oneof({ maxDepth: 2 }, fc.constant([]), fc.array(tie('tree'), { maxLength: 2 })),
            zz: junk,
          },
          { requiredKeys: ['n', 'kids'] },
        ),
      })).tree
    case 'price':
      return fc.nat(99_999).map(String)
    case 'time':
      return fc.integer({ min: 0, max: 2e9 }).map(seconds => new Date(seconds * 1000).toISOString())
  }
}

function objectOf(fields: readonly Field[]): fc.Arbitrary<object> {
  const members = fields.map(({ name, of, optional, initial }) => {
    const value = valueFor(of)
    const sometimes = optional || initial !== undefined ? 2 : 20
    return fc.oneof(
      { arbitrary: value.map(made => [[name, made] as const]), weight: sometimes },
      { arbitrary: fc.constant([]), weight: 1 },
    )
  })
  const more = fc.oneof(
    { arbitrary: fc.constant([]), weight: 12 },
    { arbitrary: fc.tuple(fc.constantFrom('zz', 'toString'), junk).map(pair => [pair]), weight: 1 },
  )
  return fc.tuple(...members, more).map(pairs => Object.fromEntries(pairs.flat() as (readonly [string, unknown])[]))
}
/** What a query can spell: fields of a value each, or of a list. */
export function queryShapeOf(library: Library): fc.Arbitrary<Fields> {
  const leaf = leafOf(library)
  const either = fc
    .uniqueArray(plainLeaf, { minLength: 2, maxLength: 3, selector: ({ kind }) => kind })
    .map((of): Shape => ({ kind: 'either', of }))
  const one = fc.oneof({ arbitrary: leaf, weight: 3 }, { arbitrary: either, weight: 1 })
  return fieldsOf(
    library,
    fc.oneof({ arbitrary: one, weight: 4 }, { arbitrary: one.map((of): Shape => ({ kind: 'list', of })), weight: 1 }),
  )
}
