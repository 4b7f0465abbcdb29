import type { ProcedureEntry } from '../src/catalogue-types.ts'
import type { Answer } from './calls.ts'
import { element, save } from './elements.ts'

/** So much of a body is shown; all of it can be saved. */
const MOST_CHARACTERS = 200_000

/** Shows an answer while it arrives. Resolves when its body has ended, or was stopped. */
export async function showAnswer(place: HTMLElement, answer: Answer, { id, errors }: ProcedureEntry): Promise<void> {
  const { status, statusText, ms, requestId, headers, type } = answer
  const line = element(
    'p',
    { class: status < 400 ? 'line good' : 'line bad', role: 'status' },
    element('strong', {}, `${status} ${statusText}`.trim()),
    ` in ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`,
  )
  const about = element('p', { class: 'about' }, requestId ? `Request id ${requestId}` : 'No request id')
  const list = element(
    'dl',
    {},
    ...headers.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
  )
  const more = element('details', {}, element('summary', {}, `${headers.length} headers`), list)
  const body = element('pre', { tabindex: 0, 'aria-label': 'Body of the answer' })
  place.replaceChildren(line, about, more, body)

  const pieces: Uint8Array<ArrayBuffer>[] = []
  const decoder = new TextDecoder()
  const isText = /json|text|xml|javascript|^$/.test(type)
  let text = ''
  let size = 0
  try {
    for await (const piece of answer.body) {
      pieces.push(piece)
      size += piece.length
      if (isText && text.length < MOST_CHARACTERS) text += decoder.decode(piece, { stream: true })
      body.textContent = isText ? text.slice(0, MOST_CHARACTERS) : `${size} bytes of ${type}`
    }
  } catch (error) {
    about.append(` · the body broke off: ${error instanceof Error ? error.message : String(error)}`)
  }
  const value = jsonOf(text)
  if (value !== undefined) body.textContent = JSON.stringify(value, undefined, 2).slice(0, MOST_CHARACTERS)
  const code = String(Object(value).error ?? '')
  const declared = errors.find(error => error.code === code && error.status === status)
  if (status >= 400 && code !== '')
    line.append(' ', element('span', { class: 'tag' }, declared ? `declared error ${code}` : code))
  if (size > 0)
    about.append(
      ' ',
      element('button', { type: 'button', class: 'plain', onclick: () => save(new Blob(pieces), id) }, 'Save the body'),
    )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
