import type { JsonSchema, ProcedureEntry } from '../src/catalogue-types.ts'
import { element, newId } from './elements.ts'
import { choicesOf, isSchema, limitsInWords, resolverOf, typeInWords } from './schema.ts'

/** What somebody has filled in. */
export interface Filled {
  readonly input: unknown
  readonly files: Readonly<Record<string, readonly File[]>>
}

export interface Form {
  readonly element: HTMLElement
  /** Throws an `Error` that names the field with malformed JSON. */
  read(): Filled
}

interface FieldInput {
  readonly element: HTMLElement
  /** Undefined = left out. */
  read(): unknown
}

/** A form made from a procedure's schema, filled with its example. The input may be written as JSON instead, also one that does not match. */
export function createForm({ input, example, files }: Pick<ProcedureEntry, 'input' | 'example' | 'files'>): Form {
  const uploads = files.map(file => fileField(file))
  const fields = input && isSchema(resolverOf(input)(input).properties) ? fieldsOf(input, example) : undefined
  const raw = textArea('Input as JSON', JSON.stringify(example ?? {}, undefined, 2))
  const byFields = (): unknown => {
    const entries = Object.entries(fields ?? {}).map(([name, field]) => [name, field.read()] as const)
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
  }
  const group = element('div', { class: 'group' }, ...Object.values(fields ?? {}).map(field => field.element))
  let isRaw = fields === undefined
  const toggle = element('button', { type: 'button', class: 'plain', onclick: switchOver }, 'Write JSON')
  const place = element('div', {}, isRaw ? raw.element : group)
  function switchOver(): void {
    if (!isRaw) raw.input.value = JSON.stringify(safely(byFields), undefined, 2)
    isRaw = !isRaw
    toggle.textContent = isRaw ? 'Fill in fields' : 'Write JSON'
    place.replaceChildren(isRaw ? raw.element : group)
  }
  const shown = input
    ? [place, fields !== undefined && toggle]
    : files.length > 0
      ? []
      : [element('p', { class: 'about' }, 'It takes no input.')]
  return {
    element: element('div', { class: 'form' }, ...shown, ...uploads.map(upload => upload.element)),
    read: () => ({
      input: input === undefined ? undefined : isRaw ? parseJson(raw.input.value, 'The input') : byFields(),
      files: Object.fromEntries(uploads.map(({ name, input }) => [name, [...(input.files ?? [])]])),
    }),
  }
}

function safely(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return {}
  }
}

function fieldsOf(schema: JsonSchema, example: unknown): Record<string, FieldInput> {
  const resolve = resolverOf(schema)
  const { properties, required } = resolve(schema)
  const needed: readonly unknown[] = Array.isArray(required) ? required : []
  const entries = Object.entries(Object(properties)).map(([name, property]) => {
    const isNeeded = needed.includes(name)
    return [name, createField(name, resolve(property), isNeeded, Object(example)[name], resolve)]
  })
  return Object.fromEntries(entries)
}

function createField(
  name: string,
  schema: JsonSchema,
  isNeeded: boolean,
  example: unknown,
  resolve: ReturnType<typeof resolverOf>,
): FieldInput {
  const choices = choicesOf(schema, resolve) ?? (schema.type === 'boolean' ? [true, false] : undefined)
  const words = [typeInWords(schema, resolve), ...limitsInWords(schema)].join(', ')
  const about = typeof schema.description === 'string' ? `${schema.description}. ${words}` : words
  if (choices) {
    const select = element('select', { id: newId() })
    if (!isNeeded) select.append(element('option', { value: '' }, '(left out)'))
    for (const choice of choices) select.append(element('option', { value: JSON.stringify(choice) }, String(choice)))
    return {
      element: labelled(name, isNeeded, select, about),
      read: () => (select.value === '' ? undefined : JSON.parse(select.value)),
    }
  }
  const kind = [schema.type].flat()[0]
  const isText = kind === 'string'
  const isPlain = isText || kind === 'integer' || kind === 'number'
  const shown =
    example === undefined ? '' : isText ? String(example) : JSON.stringify(example, undefined, isPlain ? 0 : 2)
  const isLong = !isPlain || Number(schema.maxLength) > 500
  const attributes = {
    id: newId(),
    placeholder: isNeeded ? undefined : shown,
    spellcheck: 'false',
    autocomplete: 'off',
  }
  const isSecret = /password|secret/i.test(name)
  const input = isLong
    ? element('textarea', { ...attributes, rows: isText ? 4 : 5 })
    : element('input', {
        ...attributes,
        type: isSecret ? 'password' : 'text',
        inputmode: isText ? undefined : 'decimal',
      })
  if (isNeeded && !isSecret) input.value = shown
  const read = () => {
    const { value } = input
    if (value === '' && !(isNeeded && isText)) return undefined
    if (isText) return value
    // What is not a number is sent as it is: the service says what is wrong with it.
    if (isPlain) return value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value
    return parseJson(value, name)
  }
  return { element: labelled(name, isNeeded, input, isPlain ? about : `${about}; as JSON`), read }
}

function fileField({ name, types, isOptional, isMultiple }: ProcedureEntry['files'][number]) {
  const input = element('input', { type: 'file', id: newId(), accept: types.join(','), multiple: isMultiple })
  return { name, input, element: labelled(name, !isOptional, input, types.join(', ') || 'any file') }
}

function textArea(label: string, text: string) {
  const input = element('textarea', { id: newId(), rows: 10, spellcheck: 'false' })
  input.value = text
  return { input, element: labelled(label, true, input, '') }
}

function labelled(name: string, isNeeded: boolean, input: HTMLElement, about: string): HTMLElement {
  const hint = newId()
  input.setAttribute('aria-describedby', hint)
  return element(
    'div',
    { class: 'field' },
    element('label', { for: input.id }, name, !isNeeded && element('span', { class: 'optional' }, ' optional')),
    input,
    element('small', { id: hint }, about),
  )
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${what} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}
