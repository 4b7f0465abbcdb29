import type { Catalogue, NatsAnswer, ProcedureEntry } from '../src/catalogue-types.ts'
import type { Filled } from './form.ts'
import { currentSession } from './session.ts'

/** An answer, over either door. */
export interface Answer {
  readonly status: number
  readonly statusText: string
  readonly ms: number
  readonly requestId: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Whatever of the body has arrived, in pieces. */
  readonly body: AsyncIterable<Uint8Array<ArrayBuffer>>
  readonly type: string
}

/** Asks the explorer's own server. */
function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...Object(init.headers), 'x-explorer-token': currentSession().explorer }
  return fetch(path, { ...init, headers, redirect: 'error' })
}

export async function loadCatalogue(): Promise<Catalogue> {
  const answer = await ask('/-/catalogue')
  if (!answer.ok) throw new Error(await answer.text())
  return (await answer.json()) as Catalogue
}

export async function loadAsyncApi(service: string): Promise<Blob> {
  return (await ask(`/-/asyncapi/${service}`)).blob()
}

/** Sends a call over HTTP. Throws an `Error` if there is no answer. */
export async function callHttp(procedure: ProcedureEntry, filled: Filled, signal?: AbortSignal): Promise<Answer> {
  const { path, init } = requestOf(procedure, filled)
  return sendHttp(`/-/http/${procedure.id.split('.', 1)[0]}${path}`, { ...init, ...(signal ? { signal } : {}) })
}

/** @param path `/-/http/<service>/…` */
export async function sendHttp(path: string, init: RequestInit): Promise<Answer> {
  const { apiKey, token } = currentSession()
  const began = performance.now()
  const answer = await ask(path, {
    ...init,
    headers: {
      ...(apiKey ? { 'x-api-key': apiKey } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...Object(init.headers),
    },
  })
  const ms = performance.now() - began
  const told = answer.headers.get('x-answer')
  if (told === null) throw new Error(await answer.text())
  const { status, statusMessage, headers } = JSON.parse(decoded(told))
  const headerOf = (wanted: string) => headers.find(([name]: [string]) => name.toLowerCase() === wanted)?.[1] ?? ''
  return {
    ...{ status, ms, headers, statusText: statusMessage ?? '' },
    requestId: headerOf('x-request-id'),
    type: headerOf('content-type'),
    body: piecesOf(answer),
  }
}

function decoded(base64url: string): string {
  const bytes = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return new TextDecoder().decode(Uint8Array.from(bytes, each => each.charCodeAt(0)))
}

async function* piecesOf({ body }: Response): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = body?.getReader()
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {}
    if (done || value === undefined) return
    yield value as Uint8Array<ArrayBuffer>
  }
}

/** Where each field travels, as the route says it. */
function requestOf({ http, answer }: ProcedureEntry, { input, files }: Filled): { path: string; init: RequestInit } {
  if (!http) throw new Error('It has no HTTP door')
  const { method, params, query, body } = http
  const fields = new Map(Object.entries(Object(input)))
  const take = (name: string) => {
    const value = fields.get(name)
    fields.delete(name)
    return value
  }
  const path = http.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(textOf(take(name))))
  const search = new URLSearchParams()
  const inQuery = body === 'none' || body === 'file' ? [...fields.keys()] : query
  for (const name of inQuery)
    for (const value of [take(name)].flat()) if (value !== undefined) search.append(name, textOf(value))
  const accept = answer === 'stream' ? { accept: 'text/event-stream' } : {}
  const sent = bodyOf(body, fields, input, files, params.length + query.length)
  const url = search.size > 0 ? `${path}?${search}` : path
  return { path: url, init: { method, headers: { ...accept, ...sent.headers }, body: sent.body ?? null } }
}

function bodyOf(
  kind: 'none' | 'json' | 'form' | 'file',
  fields: ReadonlyMap<string, unknown>,
  input: unknown,
  files: Filled['files'],
  elsewhere: number,
): { readonly headers?: Record<string, string>; readonly body?: BodyInit } {
  if (kind === 'none') return {}
  if (kind === 'file') {
    const file = files.file?.[0]
    if (!file) throw new Error('Choose a file')
    return { headers: { 'content-type': file.type || 'application/octet-stream' }, body: file }
  }
  if (kind === 'form') {
    const form = new FormData()
    for (const [name, value] of fields) form.append(name, textOf(value))
    for (const [name, chosen] of Object.entries(files)) for (const file of chosen) form.append(name, file)
    return { body: form }
  }
  if (fields.size === 0 && elsewhere > 0) return {}
  // Only an object has fields.
  const value =
    typeof input === 'object' && input !== null && !Array.isArray(input) ? Object.fromEntries(fields) : input
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

const textOf = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)

/** Has the explorer's server send a call over NATS. Throws an `Error` if that server does not answer. */
export async function callNats(procedure: ProcedureEntry, { input }: Filled, signal?: AbortSignal): Promise<Answer> {
  const { apiKey, token } = currentSession()
  const call = { procedure: procedure.id, input, ...(token ? { token } : {}), ...(apiKey ? { apiKey } : {}) }
  const answer = await ask('/-/nats', { method: 'POST', body: JSON.stringify(call), ...(signal ? { signal } : {}) })
  if (!answer.ok) throw new Error(await answer.text())
  const { status, requestId, ms, ...rest } = (await answer.json()) as NatsAnswer
  const text = JSON.stringify(rest)
  return {
    ...{ status, requestId, ms, statusText: rest.error ?? '', type: 'application/json' },
    headers: [
      ['subject', procedure.nats?.subject ?? ''],
      ['x-request-id', requestId],
    ],
    body: piecesOf(new Response(text)),
  }
}
