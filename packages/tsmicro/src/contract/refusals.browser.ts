import type * as refusals from './refusals.ts'

/** @public */
export const findNotJson: typeof refusals.findNotJson = () => undefined
/** @public */
export const whyNotProcedure: typeof refusals.whyNotProcedure = () => undefined
/** @public */
export const checkSubject: typeof refusals.checkSubject = subject => subject
