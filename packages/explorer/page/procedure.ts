import type { EventEntry, ProcedureEntry } from '../src/catalogue-types.ts'
import { showAnswer } from './answer.ts'
import { type Answer, callHttp, callNats } from './calls.ts'
import { element } from './elements.ts'
import { createForm, type Filled } from './form.ts'
import { schemaView } from './schema.ts'

type Call = (procedure: ProcedureEntry, filled: Filled, signal?: AbortSignal) => Promise<Answer>

/** A procedure: what it is, a form to call it at each door, and the answer. */
export function procedureView(procedure: ProcedureEntry): HTMLElement {
  const { id, name, summary, access, http, nats, input, output, errors, answer } = procedure
  const form = createForm(procedure)
  const result = element('section', { class: 'answer', 'aria-label': 'Answer', 'aria-live': 'polite' })
  let running: AbortController | undefined
  const stop = element(
    'button',
    { type: 'button', class: 'plain', hidden: true, onclick: () => running?.abort() },
    'Stop',
  )

  const send = async (call: Call): Promise<void> => {
    running?.abort()
    const current = new AbortController()
    running = current
    result.replaceChildren(element('p', { class: 'about' }, 'Waiting for the answer …'))
    stop.hidden = false
    try {
      await showAnswer(result, await call(procedure, form.read(), current.signal), procedure)
    } catch (error) {
      if (running === current)
        result.replaceChildren(element('p', { class: 'line bad', role: 'alert' }, messageOf(error)))
    } finally {
      if (running === current) stop.hidden = true
    }
  }
  const button = (label: string, call: Call, refused: string | undefined, isFirst: boolean) =>
    element(
      'button',
      {
        type: isFirst ? 'submit' : 'button',
        disabled: refused !== undefined,
        ...(isFirst ? {} : { onclick: () => send(call) }),
      },
      label,
    )
  const doors = [
    ...(http ? [{ label: 'Call over HTTP', call: callHttp, refused: http.refused }] : []),
    ...(nats ? [{ label: 'Call over NATS', call: callNats, refused: nats.refused }] : []),
  ]
  const first = doors.find(({ refused }) => refused === undefined)
  const reasons = [...new Set(doors.flatMap(({ label, refused }) => (refused ? [`${label}: ${refused}`] : [])))]
  const onsubmit = (event: Event) => {
    event.preventDefault()
    if (first) void send(first.call)
  }
  const onkeydown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || !first) return
    event.preventDefault()
    void send(first.call)
  }
  return element(
    'article',
    {},
    element('h2', { tabindex: -1 }, name),
    summary ? element('p', {}, summary) : undefined,
    element(
      'dl',
      { class: 'facts' },
      ...fact('Access', access),
      ...(http ? fact('HTTP', `${http.method} ${http.publicPath}`) : []),
      ...(nats ? fact('NATS', nats.subject) : []),
      ...(answer === 'json' ? [] : fact('Answer', `a ${answer}`)),
    ),
    element(
      'form',
      { onsubmit, onkeydown, 'aria-label': `Call ${id}`, novalidate: true },
      form.element,
      element(
        'div',
        { class: 'doors' },
        ...doors.map(door => button(door.label, door.call, door.refused, door === first)),
        stop,
      ),
      ...reasons.map(reason => element('p', { class: 'about' }, reason)),
    ),
    result,
    input && details('Input', schemaView(input)),
    output && details(answer === 'stream' ? 'One item of the answer' : 'Answer', schemaView(output)),
    errors.length > 0 && details('Errors', errorList(errors), true),
  )
}

export function eventView({ subject, version, aggregate, summary, data }: EventEntry): HTMLElement {
  return element(
    'article',
    {},
    element('h2', { tabindex: -1 }, subject),
    summary ? element('p', {}, summary) : undefined,
    element('dl', { class: 'facts' }, ...fact('Event', `version ${version}`), ...fact('Aggregate', aggregate)),
    details('Data', schemaView(data), true),
  )
}

function fact(name: string, value: string): HTMLElement[] {
  return [element('dt', {}, name), element('dd', {}, element('code', {}, value))]
}

function details(title: string, content: HTMLElement, open = false): HTMLElement {
  return element('details', { open }, element('summary', {}, title), content)
}

function errorList(errors: ProcedureEntry['errors']): HTMLElement {
  const rows = errors.map(({ code, status, message, data }) =>
    element('li', {}, `${status} `, element('code', {}, code), ` ${message}`, data && schemaView(data)),
  )
  return element('ul', { class: 'fields' }, ...rows)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
