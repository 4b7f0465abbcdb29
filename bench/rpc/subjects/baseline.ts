import { answer } from '../payload.ts'
import type { Subject } from '../subject.ts'

/** No call at all: what the HTTP server alone costs. */
export const subject: Subject = {
  serve: async () => {},
  connect: async () => answer,
}
