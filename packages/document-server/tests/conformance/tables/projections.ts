import type { Document } from 'mongodb'
import { code, decimal } from './values.ts'

/** `[document, projection of find, its result or the code]` for the operators that only `find` has. */
export type ProjectionRow = readonly [doc: Document, projection: Document, expected: unknown]

const list = {
  a: 1,
  l: [1, 2, 3, 4],
  r: [
    { x: 1, y: 1 },
    { x: 2, y: 2 },
  ],
}

export const projectionTable: Readonly<Record<string, readonly ProjectionRow[]>> = {
  $slice: [
    [list, { l: { $slice: 2 } }, { ...list, l: [1, 2] }],
    [list, { l: { $slice: -1 } }, { ...list, l: [4] }],
    [list, { _id: 0, l: { $slice: [1, 2] } }, { ...list, l: [2, 3] }],
    [list, { l: { $slice: [-3, 2] }, a: 1 }, { a: 1, l: [2, 3] }],
    [list, { l: { $slice: [9, 2] } }, { ...list, l: [] }],
    [list, { a: { $slice: 1 } }, list],
    [list, { l: { $slice: decimal('1.5') } }, { ...list, l: [1] }],
    [list, { l: { $slice: ['$l', 1, 1] } }, { l: [2] }],
    [list, { l: { $slice: ['$r', 1] } }, { l: [{ x: 1, y: 1 }] }],
    [list, { l: { $slice: [1, 0] } }, code(28729)],
    [list, { l: { $slice: 'x' } }, code(28667)],
    [list, { l: { $slice: ['x', 1] } }, code(28724)],
  ],
  $elemMatch: [
    [list, { r: { $elemMatch: { x: 2 } } }, { r: [{ x: 2, y: 2 }] }],
    [list, { r: { $elemMatch: { x: { $gte: 1 } } }, a: 1 }, { a: 1, r: [{ x: 1, y: 1 }] }],
    [list, { l: { $elemMatch: { $gt: 1, $lt: 4 } } }, { l: [2] }],
    [list, { l: { $elemMatch: { $gt: 9 } } }, {}],
    [list, { a: { $elemMatch: { $gt: 0 } } }, {}],
    [list, { l: { $elemMatch: 1 } }, code(2)],
    [list, { l: { $elemMatch: { $nope: 1 } } }, code(2)],
  ],
}
