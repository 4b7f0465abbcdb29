import { bareSubject } from './bare-subject.ts'

export const subject = bareSubject({})
