import type { Interpreted } from '../schema/index.ts'

/**
 * The key under which a procedure holds the JSON Schema checks for HTTP clients. Since procedures bring them along, browser bundles without
 * procedures do not contain them.
 */
export const CHECKS = Symbol('tsmicro.checks')

/** Has its checks with it: everything that {@link procedure} returns. */
export interface WithChecks {
  readonly [CHECKS]?: Interpreted
}
