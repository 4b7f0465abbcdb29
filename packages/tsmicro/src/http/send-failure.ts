import type { FastifyReply } from 'fastify'
import type { Log } from '../call/index.ts'
import type { ApiError } from '../errors/index.ts'
import { failureEnvelope } from './envelope.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

/**
 * Answers with a failure, as text: `preSerialization` hooks see objects only. When an `onSend` hook or a header fails on the way, mostly
 * the one that made the failure, Fastify hands that to its own error handler, which tells the client the error's message. So what
 * else is sent from here on is logged, and the failure is written past all hooks, without the headers of others.
 */
export function sendFailure(reply: FastifyReply, failure: ApiError, log: Log): void {
  const requestId = reply.request.id
  const body = JSON.stringify(failureEnvelope(failure, requestId))
  const send = reply.send.bind(reply)
  Reflect.set(reply, 'send', (payload: unknown) => {
    if (reply.sent) return send(payload)
    log.error({ err: payload, requestId }, 'an answer failed on its way')
    const { raw } = reply.hijack()
    if (raw.headersSent) raw.destroy()
    else raw.writeHead(failure.status, headersOf(body, requestId)).end(body)
    return reply
  })
  reply.code(failure.status).type(JSON_TYPE)
  send(body)
}

function headersOf(body: string, requestId: string): Record<string, string | number> {
  return {
    ...{ 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(body), connection: 'close' },
    ...{ 'x-request-id': requestId, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  }
}
