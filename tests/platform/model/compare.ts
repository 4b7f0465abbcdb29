import assert from 'node:assert/strict'
import type { Reply } from './door.ts'
import { Refusal } from './refusal.ts'
import type { Learned } from './state.ts'
import type { Step } from './world.ts'

/** When a request was in progress, in ms since 1970. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * Executes the request in the model as well, and compares the whole answer.
 * @throws {AssertionError} if they differ
 */
export function compare(step: Step, reply: Reply, span: Span): void {
  const { data } = { ...reply.body } as { readonly data?: { readonly _id?: string; readonly updatedAt?: string } }
  const used = { _id: false, at: false }
  const learned: Learned = {
    get _id() {
      used._id = true
      return data?._id ?? ''
    },
    get at() {
      used.at = true
      return data?.updatedAt ?? ''
    },
  }
  const outcome = outcomeOf(step, learned)
  if (outcome instanceof Refusal) {
    compareRefusal(reply, outcome)
    return
  }
  const { message, ...rest } = { ...reply.body }
  const status = step.route === 'POST /author' ? 201 : 200
  const expected = { code: '10000', status, ...(outcome === undefined ? {} : { data: outcome }) }
  assert.deepEqual({ ...rest, ...withoutRoleIds(rest.data) }, expected)
  assert.equal(reply.status, status)
  assert.ok(message, 'an answer has a message')
  if (used._id) assert.match(learned._id, /^[0-9a-f]{24}$/)
  if (used.at) compareTime(learned.at, span)
}

function outcomeOf({ expected }: Step, learned: Learned): unknown {
  try {
    return expected(learned)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

function compareRefusal({ status, body, requestId }: Reply, { name, status: expected, data }: Refusal): void {
  const { message, details, ...rest } = { ...body } as { readonly message?: string; readonly details?: unknown[] }
  const payload = data === undefined ? {} : { data }
  assert.deepEqual(rest, { code: '10001', status: expected, error: name, requestId, ...payload })
  assert.equal(status, expected)
  assert.ok(message, 'a refusal has a message')
  assert.equal(
    details !== undefined && details.length > 0,
    name === 'VALIDATION_FAILED',
    'details of what is malformed',
  )
}

/** Both clocks belong to this machine. The tolerance allows for a clock that is adjusted in the meantime. */
const SLACK_MS = 2000

function compareTime(at: string, { from, to }: Span): void {
  assert.equal(at, new Date(at).toISOString())
  assert.ok(Date.parse(at) >= from - SLACK_MS && Date.parse(at) <= to + SLACK_MS, `changed at ${at}`)
}

/** The platform chooses the ids of roles. */
function withoutRoleIds(data: unknown) {
  const { roles } = { ...(data as object) } as { readonly roles?: readonly { readonly code: string }[] }
  if (!roles) return {}
  return { data: { ...(data as object), roles: roles.map(({ code }) => ({ code })) } }
}
