import { randomInt } from 'node:crypto'
import { inFull } from '../../support/size.ts'

/** Replays one run: `MODEL_SEED=123 npm test -- --only platform/model`. */
const { MODEL_SEED } = process.env

export const FIXED = 20_261

/** In CI one fixed seed, to keep finding known faults, and one new seed, to find new ones. */
export const seeds: readonly number[] =
  MODEL_SEED === undefined ? [...(inFull ? [FIXED] : []), randomInt(2 ** 31)] : [Number(MODEL_SEED)]
