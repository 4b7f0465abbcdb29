import type { InjectOptions } from 'fastify'
import type { Service } from '../../micro/index.ts'

/** Where requests go that need no address. */
export const BASE_URL = 'http://localhost'

/** Statuses whose answer has no body, not even an empty one. */
const WITHOUT_BODY = [101, 204, 205, 304]

/** What `fetch` is, for a service that does not listen: the request goes through its whole HTTP door all the same. */
export async function fetchOf(service: Service, request: Request): Promise<Response> {
  const { signal, method } = request
  signal.throwIfAborted()
  const { pathname, search } = new URL(request.url)
  const body = Buffer.from(await request.arrayBuffer())
  const answered = service.inject({
    method: method as NonNullable<InjectOptions['method']>,
    url: `${pathname}${search}`,
    headers: Object.fromEntries(request.headers),
    signal,
    ...(body.length > 0 ? { payload: body } : {}),
  })
  const answer = await answered.catch(error => {
    throw signal.aborted ? signal.reason : error
  })
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers))
    for (const each of [value ?? []].flat()) headers.append(name, String(each))
  const { statusCode: status, statusMessage: statusText } = answer
  const content = WITHOUT_BODY.includes(status) ? null : new Uint8Array(answer.rawPayload)
  const response = new Response(content, { status, statusText, headers })
  Object.defineProperty(response, 'url', { value: request.url })
  return response
}
