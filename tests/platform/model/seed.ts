import { randomInt } from 'node:crypto'
import { inFull } from '../../support/size.ts'

/** Replays one run: `MODEL_SEED=123 npm test -- --only platform/model`. */
const { MODEL_SEED } = process.env

export const FIXED = 20_261

/** In CI one seed that is always the same, so that a fault stays found; and one that never was, so that new ones are. */
export const seeds: readonly number[] =
  MODEL_SEED === undefined ? [...(inFull ? [FIXED] : []), randomInt(2 ** 31)] : [Number(MODEL_SEED)]
