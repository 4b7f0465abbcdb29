import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Collection, type Document, MongoClient, MongoServerError } from 'mongodb'
import { offered } from './support/offered.ts'
import { embeddedTarget, type Target } from './support/target.ts'

let target: Target
let client: MongoClient
let rows: Collection
before(async () => {
  target = await embeddedTarget()
  client = await MongoClient.connect(target.url)
  rows = client.db('refusals').collection('rows')
  await rows.insertOne({ a: 1 })
})
after(async () => {
  await client.close()
  await target[Symbol.asyncDispose]()
})

/** Other operators of MongoDB, and names that look like some. */
const others = {
  Expressions:
    '$accumulator $acos $acosh $addToSet $asin $asinh $atan $atan2 $atanh $binarySize $bitAnd $bitNot $bitOr $bitXor $bottom $bottomN ' +
    '$bsonSize $cos $cosh $count $covariancePop $covarianceSamp $createObjectId $dateFromParts $dateFromString $dateToParts ' +
    '$degreesToRadians $denseRank $derivative $documentNumber $exp $expMovingAvg $expr $firstN $function $getField $integral $lastN ' +
    '$linearFill $ln $locf $log $log10 $maxN $median $minN $nope $nor $percentile $pow $push $radiansToDegrees $rand $rank $regex ' +
    '$sampleRate $setField $shift $sin $sinh $sqrt $stdDevPop $stdDevSamp $tan $tanh $toHashedIndexKey $toUUID $top $topN ' +
    '$tsIncrement $tsSecond $unsetField $where $zip $ADD $__proto__ $constructor $hasOwnProperty $toJSON $',
  Stages:
    '$bucket $bucketAuto $changeStream $collStats $currentOp $densify $documents $fill $geoNear $graphLookup $indexStats $listSessions ' +
    '$merge $nope $out $planCacheStats $redact $search $searchMeta $setWindowFields $sum $constructor $',
  Accumulators:
    '$accumulator $bottom $bottomN $firstN $lastN $maxN $median $minN $nope $percentile $stdDevPop $stdDevSamp $top $topN $toString',
  Filters:
    '$bitsAllClear $bitsAllSet $bitsAnyClear $bitsAnySet $box $center $geoIntersects $geoWithin $jsonSchema $maxDistance $near $nearSphere ' +
    '$nope $polygon $rand $sampleRate $uniqueDocs $where $alwaysTrue $alwaysFalse $constructor $toString',
  Updates: '$nope $pushAll $bitAnd $isolated $each $position $slice $sort $constructor $__proto__',
} as const

const codes = { Expressions: 168, Stages: 40324, Accumulators: 15952, Filters: 2, Updates: 9 } as const

const runs: Readonly<Record<keyof typeof others, (name: string) => Promise<unknown>[]>> = {
  Expressions: name =>
    [1, [1, 2], { a: 1 }].flatMap(argument => {
      const x = { [name]: argument }
      return [
        rows.aggregate([{ $project: { x } }]).toArray(),
        rows.find({ $expr: x }).toArray(),
        rows.updateOne({}, [{ $set: { x } }]),
        rows.find({}, { let: { x } }).toArray(),
      ]
    }),
  Stages: name => [{}, 1, { a: 1 }].map(argument => rows.aggregate([{ [name]: argument }]).toArray()),
  Accumulators: name => [rows.aggregate([{ $group: { _id: 1, x: { [name]: 1 } } }]).toArray()],
  Filters: name => [
    rows.find({ a: { [name]: 1 } }).toArray(),
    rows.find({ [name]: 1 } as Document).toArray(),
    rows.find({ $and: [{ a: { $not: { [name]: 1 } } }] }).toArray(),
    rows.deleteMany({ a: { $elemMatch: { [name]: 1 } } }),
  ],
  Updates: name => [
    client
      .db('refusals')
      .command({ update: 'rows', updates: [{ q: {}, u: { [name]: { a: 1 } } }] })
      .then(({ writeErrors: [failure] }) =>
        Promise.reject(new MongoServerError({ message: failure.errmsg, code: failure.code })),
      ),
  ],
}

for (const [subject, names] of Object.entries(others) as [keyof typeof others, string][])
  test(`everything else is refused by name: ${subject}`, async () => {
    const faults: string[] = []
    for (const name of names.split(' ').filter(name => !name.endsWith('__proto__'))) {
      assert.ok(subject === 'Updates' || !offered[subject].includes(name), name)
      for (const outcome of await Promise.allSettled(runs[subject](name))) {
        const error = outcome.status === 'rejected' ? outcome.reason : undefined
        const isRefused =
          error instanceof MongoServerError && error.code === codes[subject] && error.message.includes(name)
        if (!isRefused) faults.push(`${name}: ${error?.code} ${error?.message ?? 'accepted'}`)
      }
    }
    assert.deepEqual(faults, [])
    assert.equal(await rows.countDocuments({ a: 1 }), 1)
  })
