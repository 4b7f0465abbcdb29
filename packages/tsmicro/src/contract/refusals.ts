/**
 * The checks of what a contract declares. Bundles for browsers contain `refusals.browser.ts` in their place (`imports` in package.json): the
 * service has made the same checks when it started.
 */
export { findNotJson } from '../schema/index.ts'
export { whyNotAccess } from './access.ts'
export { whyNotBody } from './body.ts'
export { whyNotHttp } from './http-input.ts'
export { whyNotReplies } from './replies.ts'
export { checkSubject } from './subject.ts'
