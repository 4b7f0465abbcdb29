import { code, double, long, type Table } from './values.ts'

export const setTable: Table = {
  $allElementsTrue: [
    [[[true, 1, 'a']], true],
    [[[[false]]], true],
    [[[]], true],
    [[[null]], false],
    [[[0]], false],
    ['$l', false, { l: [1, '$none', false] }],
    [[null], code(17040)],
    ['$none', code(17040)],
  ],
  $anyElementTrue: [
    [[[false, 1]], true],
    [[[[false]]], true],
    [[[null, false, 0]], false],
    [[[]], false],
    ['a', code(17041)],
    [[null], code(17041)],
  ],
  $setDifference: [
    [
      [
        ['a', 'b', 'a'],
        ['b', 'a'],
      ],
      [],
    ],
    [
      [['a', 'b'], [['a', 'b']]],
      ['a', 'b'],
    ],
    [
      [[3, 1, 3, 2], [2]],
      [3, 1],
    ],
    [[[1, double(2)], [long(2)]], [1]],
    [[null, [1]], null],
    [[[1], '$none'], null],
    [['a', []], code(17048)],
    [[[], 'a'], code(17049)],
    [[[1]], code(16020)],
  ],
  $setEquals: [
    [
      [
        ['a', 'b', 'a'],
        ['b', 'a'],
      ],
      true,
    ],
    [[['a', 'b'], [['a', 'b']]], false],
    [
      [
        [1, 2],
        [2, 1],
        [1, 2, 2],
      ],
      true,
    ],
    [[[], []], true],
    [[[1]], code(17045)],
    [[[1], null], code(17044)],
    [[[1], 1], code(17044)],
  ],
  $setIntersection: [
    [
      [
        ['a', 'b', 'a'],
        ['b', 'a'],
      ],
      ['a', 'b'],
    ],
    [[['a', 'b'], [['a', 'b']]], []],
    [[[3, 1], [1, 3], [3]], [3]],
    [[[1], null], null],
    [['$none', [1]], null],
    [[[1], 1], code(17047)],
  ],
  $setIsSubset: [
    [
      [
        ['a', 'b', 'a'],
        ['b', 'a'],
      ],
      true,
    ],
    [[['a', 'b'], [['a', 'b']]], false],
    [[[], [1]], true],
    [[[1, 1], [1]], true],
    [[null, [1]], code(17046)],
    [[[1], null], code(17042)],
  ],
  $setUnion: [
    [
      [
        ['a', 'b', 'a'],
        ['b', 'a'],
      ],
      ['a', 'b'],
    ],
    [
      [['a', 'b'], [['a', 'b']]],
      ['a', 'b', ['a', 'b']],
    ],
    [
      [
        [3, 1],
        [2, 1],
      ],
      [1, 2, 3],
    ],
    [[], []],
    [[[1], null], null],
    [[[1], '$none'], null],
    [[[1], 'a'], code(17043)],
  ],
}
