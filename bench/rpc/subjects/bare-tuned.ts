import { bareSubject } from './bare-subject.ts'

/** Without the stack trace that nats.js captures for each request to make its errors easier to place. */
export const subject = bareSubject({ noAsyncTraces: true })
