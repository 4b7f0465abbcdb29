import { createHash } from 'node:crypto'

export interface SignInLimits {
  /** How long a count lasts from its first attempt on. */
  readonly windowSeconds: number
  readonly perAccountAndAddress: number
  readonly perAccount: number
  readonly perAddress: number
}

/** One count and how far it may go. */
export interface Counter {
  readonly key: Buffer
  readonly limit: number
}

export interface SignInCounters {
  readonly pair: Counter
  readonly account: Counter
  readonly address: Counter
}

/**
 * The counts of one sign-in. Per account and address it is strict, so that one address cannot lock anybody out elsewhere;
 * the wide ones are against many addresses that try one account, and one address that tries many accounts.
 */
export function countersOf(account: string, address: string, limits: SignInLimits): SignInCounters {
  return {
    pair: { key: keyOf('pair', account, address), limit: limits.perAccountAndAddress },
    account: { key: keyOf('account', account), limit: limits.perAccount },
    address: { key: keyOf('address', address), limit: limits.perAddress },
  }
}

function keyOf(...parts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest()
}
