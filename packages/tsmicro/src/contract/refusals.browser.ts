import type * as refusals from './refusals.ts'

/** @public */
export const findNotJson: typeof refusals.findNotJson = () => undefined
/** @public */
export const whyNotAccess: typeof refusals.whyNotAccess = () => undefined
/** @public */
export const whyNotBody: typeof refusals.whyNotBody = () => undefined
/** @public */
export const whyNotHttp: typeof refusals.whyNotHttp = () => undefined
/** @public */
export const checkSubject: typeof refusals.checkSubject = subject => subject
/** @public */
export const whyNotReplies: typeof refusals.whyNotReplies = () => undefined
