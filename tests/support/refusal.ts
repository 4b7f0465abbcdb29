import assert from 'node:assert/strict'
import { assertNothingInternal } from './leaks.ts'
import type { Platform } from './platform.ts'
import type { Answer } from './send.ts'

const FIELDS = ['code', 'error', 'message', 'requestId', 'status']
/** In addition to these: every problem of the request, and the data that an error declares. */
const MORE = ['details', 'data']

/** A refusal in the platform's envelope, which says what is needed and nothing else. */
export function assertEnvelope(
  { status, headers, body, text }: Answer,
  platform: Platform,
  echoed: string[] = [],
): void {
  assert.deepEqual(
    Object.keys(body ?? {})
      .filter(name => !MORE.includes(name))
      .sort(),
    FIELDS,
    text,
  )
  assert.deepEqual([body?.code, body?.status, headers['x-request-id']], ['10001', status, body?.requestId])
  assert.match(String(body?.error), /^[A-Z][A-Z_]+$/)
  assert.match(String(body?.message), /^\S.*$/)
  assert.match(String(headers['content-type']), /^application\/json/)
  assertNothingInternal(text, platform, echoed)
}
