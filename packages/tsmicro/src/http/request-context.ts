import type { FastifyReply, FastifyRequest } from 'fastify'
import { bearerOf, type CallContext, CallerGoneError, Deadline, type Log, traceparentOf } from '../call/index.ts'

/** Makes the context of a request; its deadline ends with the connection or the answer, whichever is first. */
export function contextOf(request: FastifyRequest, reply: FastifyReply, timeoutMs: number, log: Log): CallContext {
  const deadline = new Deadline(timeoutMs)
  reply.raw.once('close', () => {
    if (reply.raw.writableFinished) deadline[Symbol.dispose]()
    else deadline.cancel(new CallerGoneError())
  })
  const headers = request.headers as Readonly<Record<string, string | undefined>>
  return {
    door: 'http',
    requestId: request.id,
    traceparent: traceparentOf(headers.traceparent),
    headers,
    deadline,
    log: log.child({ requestId: request.id }),
    token: bearerOf(headers.authorization),
    user: undefined,
  }
}
