import type { IdempotencyClaim, IdempotencyStore } from '../stores/index.ts'
import { isDuplicateKey } from './errors.ts'
import type { IndexDefinition } from './indexes.ts'
import type { QueryBuilder } from './query-builder.ts'

export interface KeptAnswer {
  _id: string
  fingerprint: string
  fence: string
  expiresAt: Date
  answer?: string
}

/** The server deletes what has lapsed. */
export const KEPT_ANSWERS_INDEX: IndexDefinition<KeptAnswer> = { key: { expiresAt: 1 }, expireAfterSeconds: 0 }

const inMs = (ms: number) => ({ $add: ['$$NOW', ms] })

/** Answers in a collection. All times are the server's, so that the clocks of instances do not matter. */
export function createIdempotencyStore(answers: QueryBuilder<KeptAnswer>): IdempotencyStore {
  const own = ({ id, fence }: IdempotencyClaim) => ({ _id: id, fence })
  const claimOnce = ({ id, fingerprint, fence, leaseMs }: IdempotencyClaim) =>
    answers.run(collection =>
      collection.findOneAndUpdate(
        { _id: id },
        [
          {
            $replaceWith: {
              $cond: [
                { $gt: ['$expiresAt', '$$NOW'] },
                '$$ROOT',
                { _id: id, fingerprint, fence, expiresAt: inMs(leaseMs) },
              ],
            },
          },
        ],
        { upsert: true, returnDocument: 'after' },
      ),
    )
  return {
    async claim(claim) {
      const kept = await claimOnce(claim).catch(error => {
        // Two calls inserted the document at the same time. Now it is there.
        if (isDuplicateKey(error)) return claimOnce(claim)
        throw error
      })
      if (!kept || kept.fence === claim.fence) return undefined
      return { fingerprint: kept.fingerprint, answer: kept.answer }
    },
    async complete(claim, answer) {
      const change = [{ $set: { answer: { $literal: answer }, expiresAt: inMs(claim.keepMs) } }]
      const { matchedCount } = await answers.run(collection => collection.updateOne(own(claim), change))
      return matchedCount === 1
    },
    async release(claim) {
      await answers.run(collection => collection.deleteOne({ ...own(claim), answer: { $exists: false } }))
    },
  }
}
