import {
  Binary,
  BSONRegExp,
  Code,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson'
import { message, opMsg, opQuery } from './wire.ts'

/** Random numbers below a limit, always the same for a seed (mulberry32). */
export type Random = (below: number) => number

export function seeded(seed: number): Random {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)] as T

const scalars: readonly ((random: Random) => unknown)[] = [
  () => null,
  random => random(2) === 0,
  random => new Int32(random(100) - 50),
  random => pick(random, [Long.MAX_VALUE, Long.MIN_VALUE, Long.fromNumber(random(1000))]),
  random =>
    pick(
      random,
      [-0, Number.NaN, Number.POSITIVE_INFINITY, 1e308, 0.1].map(value => new Double(value)),
    ),
  () => Decimal128.fromString('1E+6000'),
  random =>
    pick(random, ['', 'a', '$a', '$$ROOT', '$$x', 'a.b', 'a..b', '.', '$', 'fuzz', '\0', '\ud800', 'é'.repeat(300)]),
  () => new Date(Number.NaN),
  random => new Date(random(2 ** 31) * 1000),
  random => ObjectId.createFromTime(random(1000)),
  random => new Binary(Buffer.alloc(random(20)), random(8)),
  random => new BSONRegExp(pick(random, ['a', '(', '^(a+)+$', '(?i)a', '[', '\\']), pick(random, ['', 'i', 'x', 'ms'])),
  () => new Timestamp({ t: 1, i: 1 }),
  () => new MinKey(),
  () => new MaxKey(),
  () => new Code('x'),
]

/** Names with a meaning somewhere. */
const names = (
  'a b a.b _id $set $inc $push $each $slice $sort $position $pull $addToSet $rename $unset $min $max $mul $bit $currentDate $setOnInsert ' +
  '$pullAll $pop $eq $ne $gt $in $nin $and $or $nor $not $exists $type $mod $regex $options $all $size $elemMatch $expr $text $search ' +
  '$match $project $group $sum $avg $first $addFields $unwind $lookup from localField foreignField as let pipeline $facet $unionWith $count ' +
  '$sample $limit $skip $replaceRoot newRoot $replaceWith $sortByCount $map input in $reduce initialValue $filter cond $range $concat ' +
  '$concatArrays $zip inputs $cond $switch branches $dateToString $dateFromString $regexFindAll $mergeObjects $arrayToObject $convert to ' +
  '$meta $literal $let vars path key name unique sparse partialFilterExpression expireAfterSeconds weights q u multi upsert arrayFilters ' +
  'filter documents updates deletes sort limit skip projection query update fields new remove batchSize cursor maxTimeMS hint ordered ' +
  'readConcern level writeConcern w lsid id collation locale indexes index cursors collection comment length constructor toString'
).split(' ')

function value(random: Random, depth = 0): unknown {
  const kind = random(depth > 5 ? 1 : 4)
  if (kind < 2) return pick(random, scalars)(random)
  if (kind === 2) return Array.from({ length: random(4) }, () => value(random, depth + 1))
  return document(random, depth + 1)
}

function document(random: Random, depth: number): Document {
  const entries = Array.from({ length: random(4) }, () => [pick(random, names), value(random, depth)] as const)
  return Object.fromEntries(entries)
}

/** A command of the server with options that may make sense. */
export function command(random: Random, commands: readonly (readonly [string, readonly string[]])[]): Document {
  const [name, options] = pick(random, commands)
  const body: Document = { [name]: random(5) === 0 ? value(random) : pick(random, ['fuzz', 'other', 1]) }
  for (const option of options) if (random(3) > 0) body[option] = likely(random, option)
  if (random(20) === 0) Object.assign(body, document(random, 0))
  return { ...body, $db: random(20) === 0 ? value(random) : pick(random, ['fuzz', 'admin']) }
}

const lists = ['documents', 'updates', 'deletes', 'pipeline', 'indexes', 'cursors', 'arrayFilters']
const docs = ['filter', 'query', 'sort', 'projection', 'fields', 'let', 'cursor', 'update']

/** A value that is mostly of the type that passes the first check. */
function likely(random: Random, option: string): unknown {
  if (random(6) === 0) return value(random)
  if (option === 'updates')
    return [{ q: document(random, 1), u: document(random, 1), multi: random(2) === 0, upsert: random(2) === 0 }]
  if (option === 'deletes') return [{ q: document(random, 1), limit: new Int32(random(2)) }]
  if (option === 'indexes')
    return [{ key: { [pick(random, names)]: pick(random, [1, -1, 'text']) }, name: pick(random, names) }]
  if (lists.includes(option)) return Array.from({ length: 1 + random(3) }, () => document(random, 1))
  if (docs.includes(option)) return document(random, 1)
  return pick(random, [new Int32(random(20)), true, false, 'a'])
}

/** A message with damaged bytes. Its length stays intact, so that most damaged messages reach the parsers. */
export function damaged(random: Random, doc: Document): Buffer {
  const bytes = Buffer.from(random(10) === 0 ? opQuery(doc) : opMsg(doc, random(10) === 0 ? 2 : 0))
  for (let hits = 1 + random(5); hits > 0; hits--) bytes[4 + random(bytes.byteLength - 4)] = random(256)
  return bytes
}

/** Random bytes, with or without a frame. */
export function garbage(random: Random): Buffer {
  const body = Buffer.from(Array.from({ length: random(200) }, () => random(256)))
  if (random(3) === 0) return body
  const lengths = [16 + body.byteLength, 0, -1, 15, 2 ** 31 - 1, 48_000_000, body.byteLength]
  return message(pick(random, [2013, 2004, 2012, 1, random(3000)]), body, pick(random, lengths))
}
