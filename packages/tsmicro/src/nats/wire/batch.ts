import type { Failure } from './failure.ts'

/*
 * Calls of one subject that travel in one message, on a subject of their own: `<subject>.batch`, queue group as for single
 * ones. Only instances that understand batches listen there, so that a fleet may be mixed.
 *
 * Request: `[[token, budgetMs, headers | 0, data], …]`. `headers` are those of a single request, names in lower case.
 * Reply: any number of messages `[[token, data] | [token, null, failure], …]`, each call answered once, in any order, on
 * the batch's reply subject. A reply that is no array tells of the failure of the whole batch, as a single reply does.
 */

/** One call of a batch as it arrived. */
export interface BatchedCall {
  readonly token: string
  readonly budgetMs: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly data: unknown
}

/** One answer of a batch as it arrived. */
export interface BatchedReply {
  readonly token: string
  readonly data: unknown
  readonly failure: Failure | undefined
}

const TOKEN = /^[0-9a-z]{1,16}$/
const NONE: BatchedCall['headers'] = Object.freeze(Object.create(null))

/** @param data JSON text; '' for none */
export function encodeCall(token: string, budgetMs: number, headers: object | undefined, data: string): string {
  const told = headers ? JSON.stringify(headers) : '0'
  return data === '' ? `["${token}",${budgetMs},${told}]` : `["${token}",${budgetMs},${told},${data}]`
}

/** @param data JSON text; '' for none */
export function encodeAnswer(token: string, data: string): string {
  return data === '' ? `["${token}"]` : `["${token}",${data}]`
}

export function encodeRefusal(token: string, failure: Failure): string {
  return `["${token}",null,${JSON.stringify(failure)}]`
}

/** Undefined for what is no call that could be answered. */
export function readCall(item: unknown): BatchedCall | undefined {
  if (!Array.isArray(item)) return undefined
  const [token, budgetMs, headers, data] = item
  if (typeof token !== 'string' || !TOKEN.test(token)) return undefined
  return { token, budgetMs: typeof budgetMs === 'number' ? budgetMs : Number.NaN, headers: textsOf(headers), data }
}

/** Undefined for what is no answer. */
export function readAnswer(item: unknown): BatchedReply | undefined {
  if (!Array.isArray(item)) return undefined
  const [token, data, failure] = item
  if (typeof token !== 'string') return undefined
  const failed = typeof failure === 'object' && failure !== null
  return { token, data, failure: failed ? (failure as Failure) : undefined }
}

/** The items of a batch or of its answers; undefined when the text is no JSON array. */
export function parseItems(text: string, revive?: Parameters<typeof JSON.parse>[1]): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text, revive)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function textsOf(headers: unknown): BatchedCall['headers'] {
  if (typeof headers !== 'object' || headers === null) return NONE
  const texts: Record<string, string | undefined> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') texts[name.toLowerCase()] = value
  return texts
}
