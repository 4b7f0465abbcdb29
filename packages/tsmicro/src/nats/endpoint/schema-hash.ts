import { createHash } from 'node:crypto'
import type { BoundProcedure } from '../../contract/index.ts'
import { describeSchema } from '../../schema/index.ts'

/** First 16 hex digits of SHA-256 over request and response schema: tells whether two instances speak the same contract. */
export function schemaHash(procedure: BoundProcedure): string {
  const [request, response] = [procedure.input ?? procedure.request, procedure.output ?? procedure.response]
  const described = { request: request && describeSchema(request), response: response && describeSchema(response) }
  return createHash('sha256').update(JSON.stringify(described)).digest('hex').slice(0, 16)
}
