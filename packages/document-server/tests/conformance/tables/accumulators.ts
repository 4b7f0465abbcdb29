import type { Document } from 'mongodb'
import { code, decimal, double, long } from './values.ts'

/** `[values, argument, expected result]` of one accumulator over the documents of a group. */
export type AccumulatorRow = readonly [docs: readonly Document[], argument: unknown, expected: unknown]

const docs = (...values: unknown[]): Document[] => values.map(v => ({ v }))
const three = docs(1, 2, 3)

export const accumulatorTable: Readonly<Record<string, readonly AccumulatorRow[]>> = {
  $sum: [
    [three, '$v', 6],
    [three, 1, 3],
    [docs(1, double(2)), '$v', double(3)],
    [docs(2147483647, 1), '$v', long('2147483648')],
    [docs(long(1), 1), '$v', long(2)],
    [docs(decimal('1.5'), 1), '$v', decimal('2.5')],
    [docs(0.1, 0.2, 0.3), '$v', 0.6],
    [docs('a', null, [1]), '$v', 0],
    [three, '$none', 0],
    [three, ['$v', 1], code(40237)],
  ],
  $avg: [
    [three, '$v', double(2)],
    [docs(1, 2), '$v', 1.5],
    [docs(decimal('1'), 2), '$v', decimal('1.5')],
    [docs('a', null), '$v', null],
    [docs(1, 'a'), '$v', double(1)],
    [three, [1, 2], code(40237)],
  ],
  $min: [
    [docs(3, 1, null), '$v', 1],
    [docs('a', 5), '$v', 5],
    [docs(null), '$v', null],
    [three, '$none', null],
  ],
  $max: [
    [docs(3, 'a', [1]), '$v', [1]],
    [docs(null, 1), '$v', 1],
    [three, '$none', null],
  ],
  $first: [
    [three, '$v', 1],
    [docs([1, 2], 3), '$v', [1, 2]],
    [[{}, { v: 1 }], '$v', null],
  ],
  $last: [
    [three, '$v', 3],
    [[{ v: 1 }, {}], '$v', null],
  ],
  $push: [
    [docs(1, [2], null), '$v', [1, [2], null]],
    [[{ v: 1 }, {}], '$v', [1]],
    [three, { a: '$v' }, [{ a: 1 }, { a: 2 }, { a: 3 }]],
    [three, ['$v', 1], code(40237)],
  ],
  $addToSet: [
    [docs(1, double(1), 1), '$v', [1]],
    [docs([1], [1]), '$v', [[1]]],
    [[{}, {}], '$v', []],
    [docs({ a: 1 }, { a: 1 }), '$v', [{ a: 1 }]],
  ],
  $count: [
    [three, {}, 3],
    [three, 1, code(14)],
    [three, { a: 1 }, code(14)],
  ],
  $mergeObjects: [
    [docs({ a: 1 }, null, { b: 2 }), '$v', { a: 1, b: 2 }],
    [three, '$none', {}],
    [docs(1), '$v', code(40400)],
  ],
}
