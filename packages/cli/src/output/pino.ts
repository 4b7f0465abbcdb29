import type { styleText } from 'node:util'
import { isLevel, LEVELS, type Level, levelName } from './levels.ts'

/** A colour or weight of the terminal. */
export type Style = Parameters<typeof styleText>[0]

/** Colours a text, or returns it as it is. */
export type Paint = (style: Style, text: string) => string

/** A parsed line of pino. */
export interface Entry {
  readonly level: Level
  readonly time: Date | undefined
  readonly message: string
  readonly stack: string | undefined
  /** All other fields, in their order. */
  readonly fields: readonly (readonly [string, unknown])[]
}

const OWN = new Set(['level', 'time', 'msg', 'err', 'pid', 'hostname', 'v', 'name', 'service'])
const STYLES: Record<Level, Style> = {
  trace: 'gray',
  debug: 'gray',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: ['red', 'bold'],
  silent: 'gray',
}

/** Escapes control characters. Logs contain what users send, which must not reach the terminal: it could repaint it, or worse. */
export function sanitize(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

function levelOf(value: unknown): Level | undefined {
  if (typeof value === 'number') return levelName(value)
  return typeof value === 'string' && isLevel(value.toLowerCase()) ? (value.toLowerCase() as Level) : undefined
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

/** Parses a line of pino. Returns undefined for any other line. */
export function parsePino(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined
  let data: Record<string, unknown> | undefined
  try {
    data = record(JSON.parse(line))
  } catch {
    return undefined
  }
  const level = levelOf(data?.level)
  if (data === undefined || level === undefined) return undefined
  const error = record(data.err)
  const time = typeof data.time === 'number' || typeof data.time === 'string' ? new Date(data.time) : undefined
  const summary = error === undefined ? undefined : `${text(error.type, 'Error')}: ${text(error.message, '')}`
  return {
    level,
    time: time !== undefined && Number.isNaN(time.getTime()) ? undefined : time,
    message: typeof data.msg === 'string' ? data.msg : (summary ?? ''),
    stack: error === undefined ? undefined : typeof error.stack === 'string' ? error.stack : summary,
    fields: Object.entries(data).filter(([key]) => !OWN.has(key)),
  }
}

/** Shows other values than strings as JSON, as `String` may fail for an object with its own `toString`. */
function text(value: unknown, otherwise: string): string {
  if (value === undefined || value === null) return otherwise
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function clock(time: Date): string {
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map(part => String(part).padStart(2, '0'))
  return `${parts.join(':')}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

function show(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}

/** Formats an entry for people: time, level, message and `key=value`, with the stack on separate lines. */
export function renderEntry(entry: Entry, paint: Paint): string[] {
  const fields = entry.fields.map(([key, value]) =>
    paint('dim', sanitize(`${key}=${show(value)}`).replaceAll('\n', ' ')),
  )
  const head = [
    ...(entry.time === undefined ? [] : [paint('dim', clock(entry.time))]),
    paint(STYLES[entry.level], entry.level.toUpperCase().padEnd(5)),
    ...(entry.message === '' ? [] : [sanitize(entry.message).replaceAll('\n', '\n  ')]),
    ...fields,
  ].join(' ')
  const stack = entry.stack === undefined ? [] : sanitize(entry.stack).split('\n')
  return [...head.split('\n'), ...stack.map(line => `  ${line.trimEnd()}`)]
}

/** Whether an entry is shown at this threshold. */
export function isShown(level: Level, threshold: Level): boolean {
  return LEVELS[level] >= LEVELS[threshold]
}
