import { randomInt } from 'node:crypto'

/** Replays one run: `MODEL_SEED=123 npm test -- --only platform/model`. */
const { MODEL_SEED } = process.env

/** One seed that is always the same, so that a fault stays found, and one that never was, so that new ones are. */
export const seeds: readonly number[] = MODEL_SEED === undefined ? [20_261, randomInt(2 ** 31)] : [Number(MODEL_SEED)]
