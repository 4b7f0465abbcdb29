import { tsmicroSubject } from './tsmicro-subject.ts'

export const subject = tsmicroSubject({ batching: false })
