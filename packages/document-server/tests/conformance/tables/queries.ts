import { BSONRegExp, type Document, MaxKey, MinKey, ObjectId } from 'mongodb'
import { code, date, decimal, double, long } from './values.ts'

/** `[filter, ids of the documents that match, or the code]`, over the documents `{ _id: 0, v: values[0] }` and so on. */
export interface FilterRows {
  readonly values: readonly unknown[]
  readonly rows: readonly (readonly [filter: Document, expected: unknown])[]
}

/** The `v` of a document that has none. */
export const none = Symbol('none')

const numbers = [1, double(2.5), long(3), decimal('4.0'), 'a', null, none, [1, 7], true]
const nested = [
  { a: 1, b: 2 },
  [
    { a: 1, b: 9 },
    { a: 5, b: 2 },
  ],
  [],
  { a: [1, 5] },
  none,
]

export const filterTable: Readonly<Record<string, FilterRows>> = {
  $eq: {
    values: numbers,
    rows: [
      [{ v: { $eq: 1 } }, [0, 7]],
      [{ v: { $eq: double(3) } }, [2]],
      [{ v: { $eq: 4 } }, [3]],
      [{ v: { $eq: null } }, [5, 6]],
      [{ v: { $eq: [1, 7] } }, [7]],
      [{ v: { $eq: [7, 1] } }, []],
      [{ v: { $eq: 'A' } }, []],
      [{ v: { $eq: new BSONRegExp('a') } }, []],
    ],
  },
  $ne: {
    values: numbers,
    rows: [
      [{ v: { $ne: 1 } }, [1, 2, 3, 4, 5, 6, 8]],
      [{ v: { $ne: null } }, [0, 1, 2, 3, 4, 7, 8]],
      [{ v: { $ne: new BSONRegExp('a') } }, code(2)],
    ],
  },
  $gt: {
    values: numbers,
    rows: [
      [{ v: { $gt: 2 } }, [1, 2, 3, 7]],
      [{ v: { $gt: decimal('3.5') } }, [3, 7]],
      [{ v: { $gt: 'A' } }, [4]],
      [{ v: { $gt: null } }, []],
      [{ v: { $gt: [1, 6] } }, [7]],
      [{ v: { $gt: double(Number.NaN) } }, []],
      [{ v: { $gt: new MinKey() } }, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
      [{ v: { $gt: false } }, [8]],
      [{ v: { $gt: new BSONRegExp('a') } }, code(2)],
    ],
  },
  $gte: {
    values: numbers,
    rows: [
      [{ v: { $gte: 3 } }, [2, 3, 7]],
      [{ v: { $gte: null } }, [5, 6]],
      [{ v: { $gte: 'b' } }, []],
      [{ v: { $gte: { $literal: 1 } } }, []],
    ],
  },
  $lt: {
    values: numbers,
    rows: [
      [{ v: { $lt: 3 } }, [0, 1, 7]],
      [{ v: { $lt: new MaxKey() } }, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
      [{ v: { $lt: 'b' } }, [4]],
      [{ v: { $lt: date('2026-01-01') } }, []],
    ],
  },
  $lte: {
    values: [
      double(Number.NaN),
      1,
      double(Number.NEGATIVE_INFINITY),
      date('2026-01-01T00:00:00Z'),
      new ObjectId('65f000000000000000000001'),
    ],
    rows: [
      [{ v: { $lte: 1 } }, [1, 2]],
      [{ v: { $lte: double(Number.NaN) } }, [0]],
      [{ v: { $lte: date('2026-01-01T00:00:00Z') } }, [3]],
      [{ v: { $lte: new ObjectId('75f000000000000000000001') } }, [4]],
      [{ v: { $lte: null } }, []],
    ],
  },
  $in: {
    values: numbers,
    rows: [
      [{ v: { $in: [1, 'a'] } }, [0, 4, 7]],
      [{ v: { $in: [null] } }, [5, 6]],
      [{ v: { $in: [] } }, []],
      [{ v: { $in: [new BSONRegExp('^A', 'i')] } }, [4]],
      [{ v: { $in: [[1, 7]] } }, [7]],
      [{ v: { $in: 1 } }, code(2)],
      [{ v: { $in: [{ $gt: 1 }] } }, code(2)],
    ],
  },
  $nin: {
    values: numbers,
    rows: [
      [{ v: { $nin: [1, null] } }, [1, 2, 3, 4, 8]],
      [{ v: { $nin: [] } }, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
      [{ v: { $nin: 'a' } }, code(2)],
    ],
  },
  $exists: {
    values: [null, none, [], { a: 1 }],
    rows: [
      [{ v: { $exists: true } }, [0, 2, 3]],
      [{ v: { $exists: false } }, [1]],
      [{ v: { $exists: 0 } }, [1]],
      [{ v: { $exists: 'no' } }, [0, 2, 3]],
      [{ 'v.a': { $exists: true } }, [3]],
    ],
  },
  $type: {
    values: [1, double(1), long(1), decimal('1'), 'a', null, none, [1], [], true],
    rows: [
      [{ v: { $type: 'int' } }, [0, 7]],
      [{ v: { $type: 'number' } }, [0, 1, 2, 3, 7]],
      [{ v: { $type: [18, 'decimal'] } }, [2, 3]],
      [{ v: { $type: 'null' } }, [5]],
      [{ v: { $type: 'array' } }, [7, 8]],
      [{ v: { $type: 'foo' } }, code(2)],
      [{ v: { $type: 42 } }, code(2)],
      [{ v: { $type: true } }, code(14)],
      [{ v: { $type: [] } }, code(9)],
    ],
  },
  $mod: {
    values: [4, double(5.9), long(-5), decimal('8'), '4', null, [3, 4], double(Number.NaN)],
    rows: [
      [{ v: { $mod: [4, 0] } }, [0, 3, 6]],
      [{ v: { $mod: [4, 1] } }, [1]],
      [{ v: { $mod: [4, -1] } }, [2]],
      [{ v: { $mod: [4.7, 0.2] } }, [0, 3, 6]],
      [{ v: { $mod: [0, 1] } }, code(2)],
      [{ v: { $mod: [4] } }, code(2)],
      [{ v: { $mod: [4, 0, 0] } }, code(2)],
      [{ v: { $mod: ['a', 0] } }, code(2)],
      [{ v: { $mod: [4, null] } }, code(2)],
      [{ v: { $mod: 4 } }, code(2)],
      [{ v: { $mod: [double(Number.NaN), 0] } }, code(2)],
    ],
  },
  $regex: {
    values: ['Hello', 'help', ['x', 'hero'], 4, 'a\nhe', new BSONRegExp('^he')],
    rows: [
      [{ v: { $regex: '^he' } }, [1, 2, 5]],
      [{ v: new BSONRegExp('^HEL', 'i') }, [0, 1]],
      [{ v: { $regex: '^he', $options: 'm' } }, [1, 2, 4]],
      [{ v: { $regex: 4 } }, code(2)],
      [{ v: { $regex: '(' } }, code(51091)],
      [{ v: { $regex: 'a', $options: 'z' } }, code(51108)],
      [{ v: { $regex: new BSONRegExp('a', 'i'), $options: 'm' } }, code(51075)],
    ],
  },
  $options: {
    values: ['A', 'a.b', 'a\nb'],
    rows: [
      [{ v: { $options: 'i', $regex: '^a$' } }, [0]],
      [{ v: { $regex: 'a.b', $options: 's' } }, [1, 2]],
      [{ v: { $options: 'i' } }, code(2)],
      [{ v: { $regex: 'a', $options: 1 } }, code(2)],
    ],
  },
  $all: {
    values: [['a', 'b', 'c'], ['a'], 'a', [], [['a', 'b']], [{ q: 1 }, { q: 2 }]],
    rows: [
      [{ v: { $all: ['a'] } }, [0, 1, 2]],
      [{ v: { $all: ['b', 'a'] } }, [0]],
      [{ v: { $all: [['a', 'b']] } }, [4]],
      [{ v: { $all: [] } }, []],
      [{ v: { $all: [new BSONRegExp('^[bc]'), 'a'] } }, [0]],
      [{ v: { $all: [{ $elemMatch: { q: 1 } }, { $elemMatch: { q: { $gt: 1 } } }] } }, [5]],
      [{ v: { $all: 'a' } }, code(2)],
      [{ v: { $all: [{ $gt: 1 }] } }, code(2)],
      [{ v: { $all: [{ $elemMatch: { q: 1 } }, 'a'] } }, code(2)],
    ],
  },
  $size: {
    values: [[], [1], [[1, 2]], 'ab', none],
    rows: [
      [{ v: { $size: 1 } }, [1, 2]],
      [{ v: { $size: 0 } }, [0]],
      [{ v: { $size: double(1) } }, [1, 2]],
      [{ v: { $size: -1 } }, code(2)],
      [{ v: { $size: 1.5 } }, code(2)],
      [{ v: { $size: '1' } }, code(2)],
    ],
  },
  $elemMatch: {
    values: [...nested, [3, 8], [[3], [9]]],
    rows: [
      [{ v: { $elemMatch: { a: 5, b: 2 } } }, [1]],
      [{ v: { $elemMatch: { a: 1, b: 2 } } }, []],
      [{ v: { $elemMatch: { $gt: 4, $lt: 9 } } }, [5]],
      [{ v: { $elemMatch: { $elemMatch: { $gt: 8 } } } }, [6]],
      [{ v: { $elemMatch: { $or: [{ a: 5 }, { a: 7 }] } } }, [1]],
      [{ v: { $elemMatch: 1 } }, code(2)],
      [{ v: { $elemMatch: { $nope: 1 } } }, code(2)],
      [{ v: { $elemMatch: { $expr: true } } }, code(2)],
    ],
  },
  $not: {
    values: numbers,
    rows: [
      [{ v: { $not: { $gt: 2 } } }, [0, 4, 5, 6, 8]],
      [{ v: { $not: new BSONRegExp('^a') } }, [0, 1, 2, 3, 5, 6, 7, 8]],
      [{ v: { $not: { $regex: 'a' } } }, [0, 1, 2, 3, 5, 6, 7, 8]],
      [{ v: { $not: { $not: { $eq: 1 } } } }, [0, 7]],
      [{ v: { $not: '' } }, code(2)],
      [{ v: { $not: [''] } }, code(2)],
      [{ v: { $not: {} } }, code(2)],
      [{ v: { $not: { $nope: 1 } } }, code(2)],
      [{ $not: { v: 1 } }, code(2)],
    ],
  },
  $and: {
    values: [1, 2, 3],
    rows: [
      [{ $and: [{ v: { $gt: 1 } }, { v: { $lt: 3 } }] }, [1]],
      [{ $and: [{}] }, [0, 1, 2]],
      [{ $and: [] }, code(2)],
      [{ $and: { v: 1 } }, code(2)],
      [{ $and: [1] }, code(2)],
    ],
  },
  $or: {
    values: [1, 2, 3],
    rows: [
      [{ $or: [{ v: 1 }, { v: 3 }] }, [0, 2]],
      [{ $or: [{ v: 9 }], v: 1 }, []],
      [{ $or: [] }, code(2)],
      [{ $or: 'a' }, code(2)],
      [{ $or: [null] }, code(2)],
    ],
  },
  $nor: {
    values: [1, none, [1, 2]],
    rows: [
      [{ $nor: [{ v: 1 }] }, [1]],
      [{ $nor: [{ v: null }, { v: 2 }] }, [0]],
      [{ $nor: [] }, code(2)],
    ],
  },
  $expr: {
    values: [1, 2, none, [1]],
    rows: [
      [{ $expr: { $eq: ['$v', 2] } }, [1]],
      [{ $expr: '$v' }, [0, 1, 3]],
      [{ $expr: { $lt: ['$v', null] } }, [2]],
      [{ $expr: { $nope: 1 } }, code(168)],
      [{ $expr: '$$nope' }, code(17276)],
      [{ $expr: { $gt: ['$$NOW', '$v'] } }, [0, 1, 2, 3]],
      [{ $expr: { $eq: ['$$CLUSTER_TIME', 1] } }, code(51144)],
      [{ v: { $expr: true } }, code(2)],
    ],
  },
  $comment: {
    values: [1, 2],
    rows: [
      [{ v: 1, $comment: 'why' }, [0]],
      [{ v: { $eq: 2, $comment: 'why' } }, [1]],
    ],
  },
  $text: {
    values: ['the quick fox', 'a slow fox', 'nothing'],
    rows: [
      [{ $text: { $search: 'fox' } }, [0, 1]],
      [{ $text: { $search: 'fox -slow' } }, [0]],
      [{ $text: { $search: '"quick fox"' } }, [0]],
      [{ $text: { $search: 'the' } }, []],
      [{ $text: { $search: 'FOX', $caseSensitive: true } }, []],
      [{ $text: { $search: 1 } }, code(14)],
      [{ $text: { $search: 'a', $caseSensitive: 1 } }, code(14)],
      [{ $text: { $search: 'a', $language: 'klingon' } }, code(2)],
      [{ $or: [{ $text: { $search: 'a' } }] }, code(2)],
    ],
  },
}
