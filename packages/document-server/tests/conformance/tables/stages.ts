import type { Document } from 'mongodb'
import { code, double, long } from './values.ts'

/** `[documents, argument, the documents after the stage or the code]`. */
export type StageRow = readonly [docs: readonly Document[], argument: unknown, expected: unknown]

const numbered: Document[] = [
  { _id: 1, v: 3 },
  { _id: 2, v: 1 },
  { _id: 3, v: 2 },
]
const lists: Document[] = [
  { _id: 1, l: ['a', 'b'] },
  { _id: 2, l: [] },
  { _id: 3 },
  { _id: 4, l: 'c' },
  { _id: 5, l: null },
]

/** What `$addFields` and `$set` share. */
const added: readonly StageRow[] = [
  [[{ _id: 1, a: 1 }], { b: { $add: ['$a', 1] }, 'n.x': 2 }, [{ _id: 1, a: 1, b: 2, n: { x: 2 } }]],
  [[{ _id: 1, a: { x: 1 } }], { a: { y: '$a.x' } }, [{ _id: 1, a: { x: 1, y: 1 } }]],
  [[{ _id: 1, a: [{ x: 1 }, 5] }], { 'a.y': 2 }, [{ _id: 1, a: [{ x: 1, y: 2 }, { y: 2 }] }]],
  [[{ _id: 1, a: 1 }], { a: '$none', b: '$$REMOVE' }, [{ _id: 1 }]],
  [[{ _id: 1, a: 1 }], { a: { $literal: '$a' } }, [{ _id: 1, a: '$a' }]],
  [numbered, 1, code(40272)],
  [numbered, { a: { $nope: 1 } }, code(168)],
  [numbered, { a: '$$nope' }, code(17276)],
]
const removed = (name: string): readonly StageRow[] => [
  [[{ _id: 1, d: { a: 1 } }], name === '$replaceRoot' ? { newRoot: '$d' } : '$d', [{ a: 1 }]],
  [[{ _id: 1, d: { a: 1 } }], name === '$replaceRoot' ? { newRoot: { x: '$_id' } } : { x: '$_id' }, [{ x: 1 }]],
  [numbered, name === '$replaceRoot' ? { newRoot: '$v' } : '$v', code(40228)],
  [numbered, name === '$replaceRoot' ? { newRoot: '$none' } : '$none', code(40228)],
]

export const stageTable: Readonly<Record<string, readonly StageRow[]>> = {
  $addFields: added,
  $set: added,
  $match: [
    [numbered, { v: { $gt: 1 } }, [numbered[0], numbered[2]]],
    [numbered, {}, numbered],
    [numbered, { $expr: { $eq: ['$_id', '$v'] } }, []],
    [numbered, 1, code(15959)],
    [numbered, { $nope: 1 }, code(2)],
  ],
  $project: [
    [[{ _id: 1, a: 1, b: 2 }], { a: 1 }, [{ _id: 1, a: 1 }]],
    [[{ _id: 1, a: 1, b: 2 }], { a: 0 }, [{ _id: 1, b: 2 }]],
    [[{ _id: 1, a: { x: 1, y: 2 } }], { _id: 0, 'a.x': 1 }, [{ a: { x: 1 } }]],
    [[{ _id: 1, a: [{ x: 1, y: 2 }, 5] }], { 'a.x': 1 }, [{ _id: 1, a: [{ x: 1 }] }]],
    [[{ _id: 1, a: 1 }], { _id: 0, b: '$a', c: { $literal: 1 }, d: ['$a', '$none'] }, [{ b: 1, c: 1, d: [1, null] }]],
    [[{ _id: 1, a: 1 }], { a: '$none' }, [{ _id: 1 }]],
    [numbered, { v: 1, w: 0 }, code(31254)],
    [numbered, { v: 0, w: 1 }, code(31253)],
    [numbered, { a: 1, 'a.b': 1 }, code(31249)],
    [numbered, {}, code(51272)],
    [numbered, 1, code(15969)],
    [numbered, { x: { $push: 1 } }, code(168)],
    [numbered, { x: { $add: [1], $subtract: [1, 1] } }, code(15983)],
    [numbered, { x: '$' }, code(16872)],
    [numbered, { x: '$a.' }, code(40353)],
    [numbered, { x: '$a..b' }, code(15998)],
    [numbered, { x: '$a.$b' }, code(16410)],
    [numbered, { x: '$$' }, code(16869)],
    [numbered, { x: '$$CLUSTER_TIME' }, code(51144)],
  ],
  $unset: [
    [[{ _id: 1, a: 1, b: { x: 1, y: 2 } }], ['a', 'b.x'], [{ _id: 1, b: { y: 2 } }]],
    [[{ _id: 1, a: 1 }], 'a', [{ _id: 1 }]],
    [numbered, 1, code(31002)],
    [numbered, [], code(31119)],
    [numbered, [1], code(31120)],
  ],
  $replaceRoot: [
    ...removed('$replaceRoot'),
    [numbered, 1, code(40229)],
    [numbered, {}, code(40231)],
    [numbered, { newRoot: {}, x: 1 }, code(40415)],
  ],
  $replaceWith: removed('$replaceWith'),
  $sort: [
    [numbered, { v: 1 }, [numbered[1], numbered[2], numbered[0]]],
    [numbered, { v: -1 }, [numbered[0], numbered[2], numbered[1]]],
    [
      [{ _id: 1, v: null }, { _id: 2, v: [] }, { _id: 3 }, { _id: 4, v: 1 }],
      { v: 1, _id: -1 },
      [{ _id: 2, v: [] }, { _id: 3 }, { _id: 1, v: null }, { _id: 4, v: 1 }],
    ],
    [
      [
        { _id: 1, v: [1, 9] },
        { _id: 2, v: 5 },
      ],
      { v: 1 },
      [
        { _id: 1, v: [1, 9] },
        { _id: 2, v: 5 },
      ],
    ],
    [
      [
        { _id: 1, v: 5 },
        { _id: 2, v: [1, 9] },
      ],
      { v: -1 },
      [
        { _id: 2, v: [1, 9] },
        { _id: 1, v: 5 },
      ],
    ],
    [numbered, 1, code(15973)],
    [numbered, {}, code(15976)],
    [numbered, { v: 'x' }, code(15974)],
    [numbered, { v: 2 }, code(15975)],
  ],
  $skip: [
    [numbered, 2, [numbered[2]]],
    [numbered, 0, numbered],
    [numbered, long(1), numbered.slice(1)],
    [numbered, -1, code(5107200)],
    [numbered, 'a', code(5107200)],
    [numbered, 1.5, code(5107200)],
  ],
  $limit: [
    [numbered, 2, numbered.slice(0, 2)],
    [numbered, double(1), numbered.slice(0, 1)],
    [numbered, 0, code(15958)],
    [numbered, -1, code(5107201)],
    [numbered, 'a', code(5107201)],
  ],
  $count: [
    [numbered, 'n', [{ n: 3 }]],
    [[], 'n', []],
    [numbered, 1, code(40156)],
    [numbered, '', code(40157)],
    [numbered, '$n', code(40158)],
    [numbered, 'a.b', code(40160)],
  ],
  $sample: [
    [numbered.slice(0, 1), { size: 5 }, numbered.slice(0, 1)],
    [[], { size: 1 }, []],
    [numbered, 1, code(28745)],
    [numbered, { size: 'a' }, code(28746)],
    [numbered, { size: -1 }, code(28747)],
    [numbered, { size: 1, x: 1 }, code(28748)],
    [numbered, {}, code(28749)],
  ],
  $unwind: [
    [
      lists,
      '$l',
      [
        { _id: 1, l: 'a' },
        { _id: 1, l: 'b' },
        { _id: 4, l: 'c' },
      ],
    ],
    [
      lists,
      { path: '$l', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' },
      [
        { _id: 1, l: 'a', i: long(0) },
        { _id: 1, l: 'b', i: long(1) },
        { _id: 2, i: null },
        { _id: 3, i: null },
        { _id: 4, l: 'c', i: null },
        { _id: 5, l: null, i: null },
      ],
    ],
    [lists, 1, code(15981)],
    [lists, { path: 1 }, code(28808)],
    [lists, { path: '$l', preserveNullAndEmptyArrays: 1 }, code(28809)],
    [lists, { path: '$l', includeArrayIndex: '' }, code(28810)],
    [lists, { path: '$l', x: 1 }, code(28811)],
    [lists, {}, code(28812)],
    [lists, 'l', code(28818)],
    [lists, { path: '$l', includeArrayIndex: '$i' }, code(28822)],
  ],
  $group: [
    [numbered, { _id: null, n: { $sum: '$v' } }, [{ _id: null, n: 6 }]],
    [[{ v: 1 }, { v: double(1) }], { _id: '$v', n: { $count: {} } }, [{ _id: 1, n: 2 }]],
    [[{ v: null }, {}], { _id: '$v' }, [{ _id: null }]],
    [[{ v: 1 }], { _id: { a: '$v', b: '$none' } }, [{ _id: { a: 1 } }]],
    [[], { _id: null, n: { $sum: 1 } }, []],
    [numbered, 1, code(15947)],
    [numbered, { n: { $sum: 1 } }, code(15955)],
    [numbered, { _id: 1, n: 1 }, code(40234)],
    [numbered, { _id: 1, 'a.b': { $sum: 1 } }, code(40235)],
    [numbered, { _id: 1, n: { $sum: 1, $avg: 1 } }, code(40238)],
    [numbered, { _id: 1, n: { $nope: 1 } }, code(15952)],
    [numbered, { _id: '$$nope' }, code(17276)],
  ],
  $sortByCount: [
    [
      [{ v: 'a' }, { v: 'b' }, { v: 'a' }],
      '$v',
      [
        { _id: 'a', count: 2 },
        { _id: 'b', count: 1 },
      ],
    ],
    [[{ v: 1 }], { $add: ['$v', 1] }, [{ _id: 2, count: 1 }]],
    [numbered, { a: 1 }, code(40147)],
    [numbered, 'v', code(40148)],
    [numbered, 1, code(40148)],
  ],
  $lookup: [
    [numbered, 1, code(9)],
    [numbered, { from: 'x', as: 'o' }, code(9)],
    [numbered, { from: 'x', localField: 'a', as: 'o' }, code(9)],
    [numbered, { localField: 'a', foreignField: 'b', as: 'o' }, code(9)],
    [numbered, { from: 'x', localField: 'a', foreignField: 'b' }, code(9)],
    [numbered, { from: 'x', localField: 'a', foreignField: 'b', as: 'o', x: 1 }, code(9)],
    [numbered, { from: 'x', pipeline: [], as: 'o', let: { X: 1 } }, code(16867)],
    [numbered, { from: 'x', pipeline: [{ $match: { $expr: '$$nope' } }], as: 'o' }, code(17276)],
    [numbered.slice(0, 1), { from: 'absent', localField: 'v', foreignField: 'v', as: 'o' }, [{ _id: 1, v: 3, o: [] }]],
  ],
  $facet: [
    [
      numbered,
      { all: [{ $count: 'n' }], top: [{ $sort: { v: -1 } }, { $limit: 1 }] },
      [{ all: [{ n: 3 }], top: [{ _id: 1, v: 3 }] }],
    ],
    [[], { all: [{ $count: 'n' }] }, [{ all: [] }]],
    [numbered, {}, code(40169)],
    [numbered, 1, code(40169)],
    [numbered, { a: 1 }, code(40170)],
    [numbered, { a: [{ $facet: { b: [] } }] }, code(40600)],
    [numbered, { a: [{ $nope: 1 }] }, code(40324)],
  ],
  $unionWith: [
    [numbered.slice(0, 1), 'absent', numbered.slice(0, 1)],
    [numbered.slice(0, 1), { coll: 'absent', pipeline: [{ $match: {} }] }, numbered.slice(0, 1)],
    [numbered, { coll: 'absent', pipeline: [{ $nope: 1 }] }, code(40324)],
    [numbered, 1, code(9)],
  ],
}
