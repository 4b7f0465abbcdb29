import { createHash } from 'node:crypto'
import type { BoundProcedure } from '../../contract/index.ts'
import { describeSchema } from '../../schema/index.ts'

/** First 16 hex digits of SHA-256 over the schemas of input and output: tells whether two instances speak the same contract. */
export function schemaHash({ input, output }: BoundProcedure): string {
  // Named as ever, or instances of before would seem to speak another contract.
  const described = { request: input && describeSchema(input), response: output && describeSchema(output) }
  return createHash('sha256').update(JSON.stringify(described)).digest('hex').slice(0, 16)
}
