import { type BoundProcedure, comeBack, type StreamBody } from '../../contract/index.ts'
import { ApiError, MALFORMED_REPLY, SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { type Check, compiled, formatProblems } from '../../schema/index.ts'
import { readOpening } from '../flow.ts'
import type { Inflow } from './inflow.ts'

/** How long a client waits before it comes back for the first time. Another instance can answer at once. */
const RETRY_MS = 500
const CUT = 'The stream ended before its last item'

/** Checks the answer to the request that opens a stream or a file. */
export function openingCheck(subject: string): Check {
  return data => {
    const value = readOpening(data, subject)
    return value ? { value } : { problems: [{ path: '', message: 'must open a stream or a file' }] }
  }
}

/**
 * Compiles what returns the items of a procedure's streams. Each iteration opens a stream of its own; if items have ids, it comes back
 * where it was, as over HTTP. What is returned takes a function for the signal that ends an iteration, asked when that begins.
 */
export function compileItems({ subject, errors = {}, output }: BoundProcedure) {
  const { item, id } = output as StreamBody
  const check = compiled.incoming(item, 'ignore')
  const codes = Object.values(errors).map(({ code }) => code)
  const read = async (value: unknown): Promise<unknown> => {
    const checked = await check(value)
    if (!checked.problems) return checked.value
    const text = `an item of ${subject} does not match its schema: ${formatProblems(checked.problems)}`
    throw new MALFORMED_REPLY(undefined, { cause: new Error(text) })
  }
  return (open: (lastEventId: string | undefined) => Promise<Inflow>, signalNow: () => AbortSignal | undefined) => {
    const declares = (code: string) => codes.includes(code)
    const iterate = () =>
      comeBack({ resumes: id !== undefined, declares, signal: signalNow() }, RETRY_MS, async function* (progress) {
        const flow = await orFailure(open(progress.lastEventId))
        if (flow instanceof ApiError) return flow
        progress.opened = true
        try {
          for (;;) {
            const value = await orFailure(flow.next())
            if (value instanceof ApiError) return value
            if (value !== undefined || flow.again) progress.attempts = 0
            if (value === undefined)
              return flow.again ? new SERVICE_UNAVAILABLE(undefined, { message: CUT }) : undefined
            const received = await read(value)
            if (id !== undefined) progress.lastEventId = String(Object(value)[id])
            yield received
          }
        } finally {
          flow.leave(new Error('the caller has left the stream'))
        }
      })
    return { [Symbol.asyncIterator]: iterate }
  }
}

async function orFailure<T>(work: Promise<T>): Promise<T | ApiError> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}

/** A file as over HTTP. If it breaks off, reading its body fails. */
export function responseOf(flow: Inflow): Response {
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await flow.next()
        if (chunk !== undefined) controller.enqueue(chunk as Uint8Array)
        else if (flow.again) throw new SERVICE_UNAVAILABLE(undefined, { message: CUT })
        else controller.close()
      },
      cancel: reason => flow.leave(reason),
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: flow.opening.headers ?? {} })
}
