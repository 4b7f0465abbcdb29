import { VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'

/** The key under which an input with files holds how clients send it: bundles whose contracts have none do not contain it. */
export const SEND = Symbol('tsmicro.send')

/** What a form may send under one name. */
export interface FileRule {
  /** Media types or ranges that are accepted. Default: any. */
  readonly types?: readonly string[]
  /** The most bytes of one file. Default 10 MiB. */
  readonly maxBytes?: number
  /** The most files under this name. Default 1; if it is given, the handler gets a list. */
  readonly maxCount?: number
  /** True = may be left out. Default false; a list needs at least one file unless it is optional. */
  readonly optional?: boolean
}

type Texts = Readonly<Record<string, string | readonly string[]>>

/** Sends the files of an input. */
export interface FileSender {
  /** Whether the other fields are part of the body; otherwise they go into the query. */
  readonly withFields: boolean
  /** Divides an input into its files and its other fields. */
  take(given: unknown): SentFiles
}

interface SentFiles {
  readonly fields: Readonly<Record<string, unknown>>
  /** @throws {VALIDATION_FAILED} for files that the service would refuse */
  bodyOf(texts: Texts | undefined): Blob | FormData
}

/** Sends one file as the whole body. */
export function rawSender(rule: FileRule): FileSender {
  const [concrete] = (rule.types ?? []).filter(type => !type.endsWith('/*'))
  return {
    withFields: false,
    take(given) {
      const { file, ...fields } = (given ?? {}) as Readonly<Record<string, unknown>>
      const typed = file instanceof Blob && file.type === '' && concrete ? file.slice(0, file.size, concrete) : file
      return {
        fields,
        bodyOf() {
          checkFiles({ file: rule }, { file: typed })
          return typed as Blob
        },
      }
    },
  }
}

/** Sends files and fields as a form. */
export function formSender(rules: Readonly<Record<string, FileRule>>): FileSender {
  return {
    withFields: true,
    take(given) {
      const all = (given ?? {}) as Readonly<Record<string, unknown>>
      return {
        fields: Object.fromEntries(Object.entries(all).filter(([name]) => !Object.hasOwn(rules, name))),
        bodyOf(fields = {}) {
          checkFiles(rules, all)
          checkTexts(fields)
          const form = new FormData()
          for (const [name, texts] of Object.entries(fields)) for (const text of [texts].flat()) form.append(name, text)
          for (const name of Object.keys(rules)) for (const file of listOf(all[name])) form.append(name, file as Blob)
          return form
        },
      }
    },
  }
}

function checkFiles(rules: Readonly<Record<string, FileRule>>, files: Readonly<Record<string, unknown>>): void {
  const details = Object.entries(rules).flatMap(([path, rule]): ValidationDetail[] => {
    const list = listOf(files[path])
    const { maxBytes, maxCount } = limitsOf(rule)
    if (list.length === 0 && !rule.optional) return [{ path, message: 'is missing' }]
    if (list.length > maxCount) return [{ path, message: `must be at most ${maxCount}` }]
    return list.flatMap(file => {
      const message = whyNotFile(file, rule.types, maxBytes)
      return message ? [{ path, message }] : []
    })
  })
  refuse(details)
}

/** The only character of a text that would arrive as another one: a form's line breaks are all the same. */
function checkTexts(fields: Texts): void {
  const changed = Object.entries(fields).filter(([, texts]) => [texts].flat().some(text => text.includes('\r')))
  refuse(changed.map(([path]) => ({ path, message: 'must not contain "\\r": a form cannot carry it' })))
}

function refuse(details: readonly ValidationDetail[]): void {
  if (details.length === 0) return
  const message = details.map(({ path, message }) => `${path} ${message}`).join('; ')
  throw new VALIDATION_FAILED(details, { message })
}

function whyNotFile(file: unknown, types: FileRule['types'], maxBytes: number): string | undefined {
  if (!(file instanceof Blob)) return 'must be a Blob or a File'
  if (file.size > maxBytes) return `must be at most ${maxBytes} bytes`
  const type = essenceOf(file.type)
  return acceptsType(types, type) ? undefined : `must be ${types?.join(' or ')}, but is ${type || 'of no type'}`
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value]
}

const MAX_FILE_BYTES = 10 * 1024 * 1024

/** The limits of a rule, defaults included. */
export function limitsOf({
  maxBytes = MAX_FILE_BYTES,
  maxCount = 1,
}: FileRule): Required<Pick<FileRule, 'maxBytes' | 'maxCount'>> {
  return { maxBytes, maxCount }
}

/** A media type without its parameters, in lower case. */
export function essenceOf(type: string): string {
  return (type.split(';', 1)[0] ?? '').trim().toLowerCase()
}

/** Whether a media type is one of these types and ranges. Without any, each is. */
export function acceptsType(types: readonly string[] | undefined, type: string): boolean {
  return !types || types.some(each => each === type || (each.endsWith('/*') && type.startsWith(each.slice(0, -1))))
}
