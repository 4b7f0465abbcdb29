import type { Catalogue, ProcedureEntry } from '../src/catalogue-types.ts'
import { callHttp } from './calls.ts'
import { element, newId } from './elements.ts'
import { createForm } from './form.ts'
import { changeSession, currentSession, onSession, signOut } from './session.ts'

/** The button that shows who is signed in, and the dialog behind it. */
export function signInView({ services, signIn, hasGateway }: Catalogue): HTMLElement {
  const procedure = services.flatMap(({ procedures }) => procedures).find(({ id }) => id === signIn?.procedure)
  const button = element('button', { type: 'button', onclick: () => dialog.showModal() })
  const key = textField('API key', currentSession().apiKey)
  const token = textField('Access token', currentSession().token)
  const problem = element('p', { class: 'line bad', role: 'alert' })
  const form = procedure && createForm({ ...procedure, example: undefined })
  const close = () => {
    problem.textContent = ''
    dialog.close()
  }
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    changeSession({ apiKey: key.input.value.trim() })
    try {
      if (form && procedure && signIn) {
        const { input } = form.read()
        const found = await signedIn(procedure, input, signIn.token)
        token.input.value = found
        changeSession({ token: found, who: whoIn(input) })
      }
      close()
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error)
    }
  }
  const keep = () => {
    const given = token.input.value.trim().replace(/^Bearer +/i, '')
    changeSession({ apiKey: key.input.value.trim(), token: given, who: given === '' ? '' : 'the bearer of a token' })
    close()
  }
  const leave = () => {
    for (const { input } of [key, token]) input.value = ''
    signOut()
    close()
  }
  const action = (label: string, onclick: () => void) =>
    element('button', { type: 'button', class: 'plain', onclick }, label)
  const dialog = element(
    'dialog',
    { 'aria-label': 'Sign in' },
    element(
      'form',
      { onsubmit: submit },
      element('h2', {}, 'Sign in'),
      hasGateway && key.element,
      form &&
        element(
          'fieldset',
          {},
          element('legend', {}, `With ${procedure?.id}`),
          form.element,
          element('button', { type: 'submit' }, 'Sign in'),
        ),
      element(
        'details',
        { open: form === undefined },
        element('summary', {}, 'With what you have'),
        token.element,
        element('button', { type: 'button', onclick: keep }, 'Use the key and this token'),
      ),
      problem,
      element('div', { class: 'doors' }, action('Sign out', leave), action('Close', close)),
    ),
  )
  const show = () => {
    const { who, apiKey } = currentSession()
    button.textContent = who ? `Signed in: ${who}` : apiKey ? 'API key set' : 'Sign in'
  }
  onSession(show)
  show()
  return element('div', {}, button, dialog)
}

function textField(label: string, value: string) {
  const input = element('input', { id: newId(), type: 'password', autocomplete: 'off', spellcheck: 'false' })
  input.value = value
  return { input, element: element('div', { class: 'field' }, element('label', { for: input.id }, label), input) }
}

/** Calls the system's own procedure. Throws an `Error` with the reason if that fails. */
async function signedIn(procedure: ProcedureEntry, input: unknown, place: string): Promise<string> {
  const answer = await callHttp(procedure, { input, files: {} })
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for await (const piece of answer.body) pieces.push(piece)
  const text = await new Blob(pieces).text()
  const body = jsonOf(text)
  if (answer.status >= 400) throw new Error(`${answer.status} ${Object(body).message ?? text.slice(0, 200)}`)
  const { data = body } = Object(body)
  const token = place.split('.').reduce<unknown>((part, name) => Object(part)[name], data)
  if (typeof token !== 'string') throw new Error(`The answer has no token at ${place}`)
  return token
}

/** The first text beside the secrets: an e-mail address or a name. */
function whoIn(input: unknown): string {
  const entries = Object.entries(Object(input))
  const [, who] = entries.find(([name, value]) => typeof value === 'string' && !/password|secret/i.test(name)) ?? []
  return String(who ?? 'yes')
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
