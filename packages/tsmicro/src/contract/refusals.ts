/**
 * The checks of what a contract declares. Bundles for browsers contain `refusals.browser.ts` in their place (`imports` in package.json): the
 * service has made the same checks when it started.
 */
export { findNotJson } from '../schema/index.ts'
export { whyNotProcedure } from './procedure-refusal.ts'
export { checkSubject } from './subject.ts'
