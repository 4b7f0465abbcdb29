import type { JsonSchema } from './schema.ts'

/** RFC 2606 and RFC 5737 keep these names and addresses for examples. */
const FORMATS: Readonly<Record<string, string>> = {
  uuid: '3f0c7a52-8d1e-4b6f-9a23-5c7d9e1f2b34',
  email: 'ada@example.com',
  uri: 'https://example.com/ada',
  url: 'https://example.com/ada',
  'uri-reference': '/ada',
  'date-time': '2026-01-31T12:00:00Z',
  date: '2026-01-31',
  time: '12:00:00Z',
  duration: 'P1D',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  byte: 'QWRh',
}

/** What patterns usually ask for; the first that matches is taken. */
const USUAL = [
  ...['ada', 'Ada', 'ADA', '1', '12', '1.5', 'a1', 'A1', 'en', 'EN', 'en-GB', 'EUR', 'x'],
  ...['65a1b2c3d4e5f60718293a4b', '0f'.repeat(16), '0f'.repeat(20), '0f'.repeat(32), '0F'.repeat(16), '#0a1b2c'],
  ...[
    '1.0.0',
    'v1.0.0',
    '+4930123456',
    '12:30',
    '2026-01',
    '12.50',
    'ada-byron',
    'ada_byron',
    'ada.byron',
    '/ada',
    '@ada',
  ],
  ...[
    '12345',
    '123456',
    '0123456789',
    'ABC-123',
    'ab12',
    'AB12',
    'image/png',
    'user.created',
    'key=value',
    'Bearer QWRh',
  ],
  ...Object.values(FORMATS),
]

/** A text that matches a schema's format, pattern and length; undefined if none was found. @param name what it is called */
export function textFor(schema: JsonSchema, name: string): string | undefined {
  const { pattern, format, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema
  const [least, most] = [Number(minLength), Number(maxLength)]
  const given = FORMATS[String(format)]
  const plain = name.padEnd(least, '-ada').slice(0, most)
  if (typeof pattern !== 'string') return given ?? plain
  const test = regexpOf(pattern)
  const usual = given === undefined ? [plain, ...USUAL] : [given]
  return usual.flatMap(text => lengthened(text, least)).find(text => text.length <= most && test?.test(text))
}

/** The text, and if it is too short, what it becomes when one of its ends is repeated. */
function lengthened(text: string, least: number): readonly string[] {
  if (text.length >= least) return [text]
  return [text.repeat(Math.ceil(least / text.length)).slice(0, least), text.padEnd(least, text.at(-1) ?? 'a')]
}

function regexpOf(pattern: string): RegExp | undefined {
  for (const flags of ['u', ''])
    try {
      return new RegExp(pattern, flags)
    } catch {
      // The other way to read it may do.
    }
  return undefined
}
