import type { BoundProcedure } from '../contract/index.ts'
import { writeJson } from '../schema/index.ts'
import { SUCCESS_CODE } from './envelope.ts'

/**
 * Prepares the body of a procedure's success. The data has been checked and pruned already, so plain JSON.stringify is
 * enough. Measured on Node 24 against fast-json-stringify: one blog 0.8 µs to 1.0, ten 6.4 to 7.8, 10 kB of text 17 to 20;
 * and that one has opinions of its own about unions and references.
 */
export function compileAnswer(procedure: BoundProcedure): (data: unknown) => string | undefined {
  const { output, bare, status = 200, message = 'Success' } = procedure
  if (bare) return output ? data => writeJson(data) ?? 'null' : () => undefined
  const envelope = JSON.stringify({ code: SUCCESS_CODE, status, message })
  if (!output) return () => envelope
  const head = `${envelope.slice(0, -1)},"data":`
  return data => `${head}${writeJson(data) ?? 'null'}}`
}
