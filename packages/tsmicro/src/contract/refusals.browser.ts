import type * as refusals from './refusals.ts'

export const findNotJson: typeof refusals.findNotJson = () => undefined
export const whyNotHttp: typeof refusals.whyNotHttp = () => undefined
export const checkSubject: typeof refusals.checkSubject = subject => subject
