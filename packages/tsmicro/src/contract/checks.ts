import type { Interpreted } from '../schema/index.ts'

/**
 * Where a procedure has the checks of its JSON Schemas for clients over HTTP. It brings them along, so that a client without a contract, and
 * one whose contract declares no procedure, does without them in a browser.
 */
export const CHECKS = Symbol('tsmicro.checks')

/** What has its checks with it: whatever {@link procedure} made. */
export interface WithChecks {
  readonly [CHECKS]?: Interpreted
}
