import type { FastifyReply, FastifyRequest } from 'fastify'
import { CallerGoneError, Deadline, DoorContext, type Log } from '../call/index.ts'
import { clientAddressOf, type Trusts } from './client-address.ts'
import { consumerOf } from './gateway-door.ts'

export interface ContextOptions {
  readonly timeoutMs: number
  /** Whose word on a client's address is believed. */
  readonly trusts: Trusts
  readonly log: Log
}

/** Makes the context of a request; its deadline ends with the connection or the answer, whichever is first. */
export function contextOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { timeoutMs, trusts, log }: ContextOptions,
): DoorContext {
  const deadline = new Deadline(timeoutMs)
  reply.raw.once('close', () => {
    if (reply.raw.writableFinished) deadline[Symbol.dispose]()
    else deadline.cancel(new CallerGoneError())
  })
  const headers = request.headers as Readonly<Record<string, string | undefined>>
  return new DoorContext({
    door: 'http',
    requestId: request.id,
    headers,
    deadline,
    log,
    consumer: consumerOf(request),
    clientAddress: clientAddressOf(request, trusts),
  })
}
