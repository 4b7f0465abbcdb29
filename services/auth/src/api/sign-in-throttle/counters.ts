import { createHash } from 'node:crypto'
import type { Origin } from './origin.ts'

export interface SignInLimits {
  /** How long a count lasts, from its first attempt on. */
  readonly windowSeconds: number
  readonly perAccountAndAddress: number
  readonly perAccount: number
  readonly perAddress: number
  readonly signUpsPerAddress: number
}

/** A count and its limit. */
export interface Counter {
  readonly key: Buffer
  readonly limit: number
}

/** The counters of one sign-in. The first one belongs to the attempt itself, and a success resets it. */
type Counters = readonly [own: Counter, ...wide: Counter[]]

/**
 * The limit per account and address is strict, so that one address cannot lock anybody out elsewhere. The wider ones guard
 * against many addresses that try one account, and one address that tries many accounts.
 */
export function countersOf(account: string, { address }: Origin, limits: SignInLimits): Counters {
  return [
    { key: keyOf('pair', account, address), limit: limits.perAccountAndAddress },
    { key: keyOf('account', account), limit: limits.perAccount },
    { key: keyOf('address', address), limit: limits.perAddress },
  ]
}

/**
 * At a place where the account's owner has signed in before, attempts by others do not count, neither those from elsewhere
 * nor those from the same address: otherwise their wrong passwords could lock the owner out for as long as they like.
 */
export function knownPlaceCounter(account: string, { address, device }: Origin, limits: SignInLimits): Counters {
  return [{ key: keyOf('known', account, address, device), limit: limits.perAccountAndAddress }]
}

export function signUpCounter({ address }: Origin, limits: SignInLimits): Counter {
  return { key: keyOf('sign-up', address), limit: limits.signUpsPerAddress }
}

/** Identifies a place in a user's list of known places. */
export function placeOf({ address, device }: Origin): Buffer {
  return keyOf('place', address, device)
}

function keyOf(...parts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest()
}
