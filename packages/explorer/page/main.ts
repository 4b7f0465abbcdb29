import type { Catalogue, ServiceEntry } from '../src/catalogue-types.ts'
import { loadAsyncApi, loadCatalogue, sendHttp } from './calls.ts'
import { element, newId, save } from './elements.ts'
import { eventView, procedureView } from './procedure.ts'
import { signInView } from './sign-in.ts'

/** The page of the whole system, or of the one service that the address names. */
async function open(): Promise<void> {
  const catalogue = await loadCatalogue()
  const only = location.pathname.slice(1)
  const services = catalogue.services.filter(({ name }) => only === '' || name === only)
  const main = element('main', { tabindex: -1 })
  const list = navigation(services)
  const show = () => showPlace(main, catalogue)
  window.addEventListener('hashchange', show)
  document.body.replaceChildren(
    element(
      'header',
      {},
      element('h1', {}, only === '' ? 'Explorer' : only),
      only !== '' && element('a', { href: '/' }, 'All services'),
      signInView(catalogue),
    ),
    element('div', { class: 'columns' }, list, main),
  )
  show()
}

const placeOf = (service: string, member: string): string => `#/${service}/${member}`

function navigation(services: readonly ServiceEntry[]): HTMLElement {
  const filter = element('input', { id: newId(), type: 'search', autocomplete: 'off', oninput: () => narrow() })
  const items = services.map(service => {
    const members = [
      ...service.procedures.map(each => ({
        name: each.name,
        text: `${each.name} ${each.http?.publicPath} ${each.nats?.subject} ${each.summary}`,
        doors: doorsOf(each),
      })),
      ...service.events.map(each => ({ name: each.subject, text: `${each.subject} ${each.summary}`, doors: 'event' })),
    ]
    const rows = members.map(({ name, text, doors }) => {
      const link = element('a', { href: placeOf(service.name, name) }, name, element('span', { class: 'door' }, doors))
      return { row: element('li', {}, link), text: text.toLowerCase() }
    })
    return { rows, element: element('section', {}, heading(service), element('ul', {}, ...rows.map(({ row }) => row))) }
  })
  const narrow = () => {
    const words = filter.value.toLowerCase().split(/\s+/)
    for (const { rows } of items)
      for (const { row, text } of rows) row.hidden = !words.every(word => text.includes(word))
  }
  document.addEventListener('keydown', event => {
    const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea, select')
    if (event.key === '/' && !isTyping) {
      event.preventDefault()
      filter.focus()
    }
  })
  const nav = element('nav', { 'aria-label': 'Procedures', onkeydown: (event: KeyboardEvent) => move(event, nav) })
  nav.append(
    element('div', { class: 'field' }, element('label', { for: filter.id }, 'Filter (press /)'), filter),
    ...items.map(item => item.element),
  )
  return nav
}

/** The arrows go from one procedure to the next. */
function move(event: KeyboardEvent, nav: HTMLElement): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step === undefined) return
  const links = [...nav.querySelectorAll<HTMLElement>('li:not([hidden]) > a')]
  const at = links.indexOf(document.activeElement as HTMLElement)
  links[Math.max(0, at + step)]?.focus()
  event.preventDefault()
}

function heading({ name }: ServiceEntry): HTMLElement {
  const document = (label: string, load: () => Promise<Blob>) => {
    const onclick = () =>
      load().then(
        blob => save(blob, `${name}-${label.toLowerCase()}.json`),
        error => alert(error.message),
      )
    return element('button', { type: 'button', class: 'plain', onclick }, label)
  }
  const openApi = async () => {
    const { status, body } = await sendHttp(`/-/http/${name}/openapi.json`, {})
    if (status !== 200) throw new Error(`The document is not to be had: ${status}. An API key may be needed: sign in.`)
    const pieces: Uint8Array<ArrayBuffer>[] = []
    for await (const piece of body) pieces.push(piece)
    return new Blob(pieces)
  }
  return element(
    'div',
    { class: 'service' },
    element('h2', {}, element('a', { href: `/${name}` }, name)),
    document('OpenAPI', openApi),
    document('AsyncAPI', () => loadAsyncApi(name)),
  )
}

const doorsOf = ({ http, nats }: ServiceEntry['procedures'][number]): string =>
  [http?.method, nats && 'NATS'].filter(Boolean).join(' ')

function showPlace(main: HTMLElement, { services }: Catalogue): void {
  const [, service, member] = location.hash.split('/').map(decodeURIComponent)
  const { procedures = [], events = [] } = services.find(({ name }) => name === service) ?? {}
  const procedure = procedures.find(({ name }) => name === member)
  const event = events.find(({ subject }) => subject === member)
  const view = procedure ? procedureView(procedure) : event && eventView(event)
  for (const link of document.querySelectorAll('nav a'))
    if (link.getAttribute('href') === location.hash) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  main.replaceChildren(view ?? element('p', {}, 'Choose a procedure or an event.'))
  main.querySelector('h2')?.focus()
}

open().catch((error: unknown) => {
  document.body.replaceChildren(
    element('p', { class: 'line bad', role: 'alert' }, error instanceof Error ? error.message : String(error)),
  )
})
