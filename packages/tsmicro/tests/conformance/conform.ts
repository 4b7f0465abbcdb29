import { test } from 'node:test'
import { expiringCount } from '../../src/call/index.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'
import { watched } from './network/watched.ts'
import { SUITES } from './suites.ts'

/**
 * Everything that a transport has to do, and that nothing is left over afterwards.
 * @param chosen which of the suites, by their number
 */
export function conform(open: OpenNetwork, chosen: (number: number) => boolean = () => true): void {
  for (const [name, suite] of Object.entries(SUITES).filter((_, number) => chosen(number)))
    test(name, () => suite(watched(open)))

  test('after all of it nothing is left to expire', () =>
    until('nothing is left to expire', () => expiringCount() === 0))
}
