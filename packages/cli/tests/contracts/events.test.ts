/** Which changes to events break old consumers, or make what is stored unreadable. */
import { contract, event } from 'tsmicro/contract'
import Type from 'typebox'
import { grow, Id, type Row, S, testTable } from './table.ts'

const announced = { subject: 'thing.made', aggregate: 'id' } as const
const Made = Type.Object({ id: S, size: Type.Integer(), note: Type.Optional(S) })
const to = (data: unknown) => data
const withEvent = (spec: object) => ({ shop: contract('shop', { made: event({ ...announced, ...spec } as never) }) })
const e = (before: object, after: object) => [withEvent({ data: before }), withEvent({ data: after })] as const
const version2 = (upcast?: object) =>
  withEvent({ version: 2, data: Type.Object({ id: S, name: S }), ...(upcast ? { upcast } : {}) })

const TABLE: readonly Row[] = [
  // Events: old consumers read what is announced, new ones what is stored
  ['a new event', {}, withEvent({ data: Made }), ['thing.made: is a new event']],
  ['a removed event', withEvent({ data: Made }), {}, ['!thing.made: the event is removed']],
  [
    'another aggregate',
    withEvent({ data: grow({ b: S }) }),
    withEvent({ data: grow({ b: S }), aggregate: 'b' }),
    ['!thing.made: its aggregate is b instead of id: stored events have another order'],
  ],
  [
    'a new optional field of an event',
    ...e(Id, grow({ b: Type.Optional(S) })),
    ['thing.made: data: b is new: those who do not know it drop it'],
  ],
  ['a new required field of an event', ...e(Id, grow({ b: S })), ['!thing.made: stored data: b is required now']],
  [
    'a field of an event that is marked as personal',
    ...e(grow({ b: S }), grow({ b: Type.String({ personal: true }) })),
    ['thing.made: data: those who read it before can read it still'],
  ],
  [
    'a removed field of an event',
    ...e(Made, Type.Object({ id: S, size: Type.Integer() })),
    ['!thing.made: data: note is removed'],
  ],
  [
    'a field of an event of another type',
    ...e(grow({ b: S }), grow({ b: Type.Integer() })),
    ['!thing.made: stored data: b no longer accepts string', '!thing.made: data: b may now be integer'],
  ],
  [
    'a wider field of an event',
    ...e(grow({ b: Type.Integer() }), grow({ b: Type.Number() })),
    ['!thing.made: data: b may now be number'],
  ],
  [
    'a narrower field of an event',
    ...e(grow({ b: Type.Number() }), grow({ b: Type.Integer() })),
    ['!thing.made: stored data: b no longer accepts number'],
  ],
  [
    'a new version without an upcast',
    withEvent({ data: Id }),
    version2(),
    ['!thing.made: version 1 is still stored, and can no longer be read'],
  ],
  [
    'a new version with an upcast',
    withEvent({ data: Id }),
    version2({ 1: { data: Id, to } }),
    ['thing.made: version 2 is new, and 1 is read through its upcast: deploy consumers first'],
  ],
  [
    'an upcast from another shape',
    withEvent({ data: Id }),
    version2({ 1: { data: grow({ b: S }), to } }),
    ['!thing.made: stored data of version 1: b is required now'],
  ],
  [
    'an upcast that is removed',
    version2({ 1: { data: Id, to } }),
    version2(),
    ['!thing.made: version 1 is still stored, and can no longer be read'],
  ],
  [
    'a lower version',
    version2({ 1: { data: Id, to } }),
    withEvent({ data: Id }),
    ['!thing.made: its version is 1, after 2'],
  ],
]

testTable(TABLE)
