import { createHash } from 'node:crypto'
import type { Origin } from './origin.ts'

export interface SignInLimits {
  /** How long a count lasts from its first attempt on. */
  readonly windowSeconds: number
  readonly perAccountAndAddress: number
  readonly perAccount: number
  readonly perAddress: number
  readonly signUpsPerAddress: number
}

/** One count and how far it may go. */
export interface Counter {
  readonly key: Buffer
  readonly limit: number
}

/**
 * The counts of one sign-in; the first one is the attempt's own, which a success resets. Per account and address it is strict,
 * so that one address cannot lock anybody out elsewhere; the wide ones are against many addresses that try one account, and
 * one address that tries many accounts.
 */
export function countersOf(
  account: string,
  { address }: Origin,
  limits: SignInLimits,
): readonly [Counter, ...Counter[]] {
  return [
    { key: keyOf('pair', account, address), limit: limits.perAccountAndAddress },
    { key: keyOf('account', account), limit: limits.perAccount },
    { key: keyOf('address', address), limit: limits.perAddress },
  ]
}

/**
 * Where the account was signed in to before, nothing that others do counts, neither elsewhere nor at the same address:
 * their wrong passwords would lock the owner out for as long as they please.
 */
export function knownPlaceCounter(
  account: string,
  { address, device }: Origin,
  limits: SignInLimits,
): readonly [Counter] {
  return [{ key: keyOf('known', account, address, device), limit: limits.perAccountAndAddress }]
}

export function signUpCounter({ address }: Origin, limits: SignInLimits): Counter {
  return { key: keyOf('sign-up', address), limit: limits.signUpsPerAddress }
}

/** A place by which a user is known. */
export function placeOf({ address, device }: Origin): Buffer {
  return keyOf('place', address, device)
}

function keyOf(...parts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest()
}
