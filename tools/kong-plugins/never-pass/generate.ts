import fc from 'fast-check'
import { CLAIMS, FORGED, words } from './cases.ts'
import { ANSWERS, type Answers } from './verifier.ts'

/** Where a request has which key. */
type KeyPart =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly name: string; readonly key: string }
  | { readonly kind: 'two'; readonly keys: readonly [string, string] }
  | { readonly kind: 'elsewhere'; readonly name: string; readonly key: string }
  | { readonly kind: 'query'; readonly key: string }

export interface Plan {
  readonly method: string
  readonly path: string
  readonly key: KeyPart
  readonly claims: readonly (readonly [string, string])[]
  readonly more: readonly (readonly [string, string])[]
  readonly body: { readonly text: string; readonly chunked: boolean } | null
  /** One byte is replaced, inserted or removed, in any line except the one with the request's number. */
  readonly mutation: {
    readonly how: 'replace' | 'insert' | 'remove'
    readonly at: number
    readonly byte: number
  } | null
}

const bad = (Object.keys(ANSWERS) as Answers[]).filter(answers => answers !== 'yes')
const number = fc.nat({ max: 39 })
/** Keys from a small set, so that remembered ones are used again. */
const goodKey = number.map(n => `yes.stock-${n}`)
const badKey = fc
  .tuple(fc.constantFrom(...bad, 'no', 'no', 'no', 'no', 'nobody'), number)
  .map(([how, n]) => `${how}.stock-${n}`)
/** Bytes that are allowed in a header value. */
const value = fc
  .array(
    fc.integer({ min: 32, max: 255 }).filter(byte => byte !== 127),
    { maxLength: 30 },
  )
  .map(bytes => String.fromCharCode(...bytes))
const weighted = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary })
const anyKey = fc.oneof(weighted(3, goodKey), weighted(2, badKey), weighted(1, value))

/** Spellings that are equal without regard to case, or if `_` counts as `-`. */
function spelled(names: readonly string[], underscores: boolean): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...names), fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }))
    .map(([name, flips]) =>
      [...name]
        .map((char, at) => (!flips[at] ? char : char === '-' ? (underscores ? '_' : '-') : char.toUpperCase()))
        .join(''),
    )
}

const kind = <K extends KeyPart['kind']>(name: K) => fc.constant(name)
const elsewhere = fc.constantFrom('x_api_key', 'x-apikey', 'apikey', 'authorization', 'cookie', 'x-consumer-id')
const key: fc.Arbitrary<KeyPart> = fc.oneof(
  weighted(8, fc.record({ kind: kind('one'), name: spelled(['x-api-key'], false), key: anyKey })),
  weighted(2, fc.record({ kind: kind('none') })),
  weighted(1, fc.record({ kind: kind('two'), keys: fc.tuple(goodKey, anyKey) })),
  weighted(1, fc.record({ kind: kind('elsewhere'), name: elsewhere, key: goodKey })),
  weighted(1, fc.record({ kind: kind('query'), key: goodKey })),
)

const segment = fc.constantFrom(
  '',
  ...words(String.raw`
    private private private public public free open .. .. . %2e%2e .%2E %2e %70rivate priv%61te
    publi%63 ..%2fprivate %2e%2e%2f ..; x %5c.. \.. PRIVATE %c3%a9 private%20 private? %
  `),
)
const path = fc.oneof(
  weighted(1, fc.constant('/private')),
  weighted(
    1,
    fc.array(segment, { minLength: 1, maxLength: 6 }).map(segments => `/${segments.join('/')}`),
  ),
)

const field = fc.oneof(
  fc.tuple(
    number.map(n => `x-r${n}`),
    value,
  ),
  fc.tuple(
    fc.constantFrom('authorization', 'x-request-id', 'x-real-ip', 'x-forwarded-for', 'x-original-url', 'cookie', 'via'),
    value,
  ),
  fc.tuple(fc.constant('connection'), fc.constantFrom('keep-alive', 'x-api-key', 'x-gateway-signature, x-consumer-id')),
)

/** Generates null, except for one in `many`. */
const seldom = <T>(many: number, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof(weighted(many - 1, fc.constant(null)), weighted(1, arbitrary))

export const plan: fc.Arbitrary<Plan> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'PROPFIND'),
  path,
  key,
  claims: fc.array(
    fc.tuple(
      spelled(CLAIMS, true),
      value.map(text => FORGED + text),
    ),
    { maxLength: 4 },
  ),
  more: fc.array(field, { maxLength: 4 }),
  body: seldom(4, fc.record({ text: fc.string({ minLength: 1, maxLength: 50 }), chunked: fc.boolean() })),
  mutation: seldom(
    12,
    fc.record({
      how: fc.constantFrom('replace' as const, 'insert' as const, 'remove' as const),
      at: fc.nat(),
      byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 9, 10, 13, 32, 44, 45, 58, 95)),
    }),
  ),
})

/** Whether the path, as written, needs no key. */
export function needsNoKey({ path }: Plan): boolean {
  return /^\/private\/(free|open\/([\w~-]+(\/[\w~-]+)*\/?)?)$/.test(path.split('?', 1)[0] ?? '')
}

/** The keys of a request in the only place that counts. */
export function keysOf({ key }: Plan): readonly string[] {
  if (key.kind === 'two') return key.keys
  return key.kind === 'one' ? [key.key.trim()] : []
}

function keyLines(key: KeyPart): string[] {
  if (key.kind === 'two') return key.keys.map(text => `x-api-key: ${text}`)
  return key.kind === 'one' || key.kind === 'elsewhere' ? [`${key.name}: ${key.key}`] : []
}

/** Returns the bytes of a request, as Latin 1. */
export function bytesOf(plan: Plan, id: string): string {
  const { method, path, key, body, mutation } = plan
  const lines = [
    `${method} ${path}${key.kind === 'query' ? `?x-api-key=${key.key}` : ''} HTTP/1.1`,
    'host: gateway.test',
    ...[...plan.claims, ...plan.more].map(([name, text]) => `${name}: ${text}`),
    ...keyLines(key),
  ]
  const bytes = body && Buffer.from(body.text).toString('latin1')
  if (bytes !== null) lines.push(body?.chunked ? 'transfer-encoding: chunked' : `content-length: ${bytes.length}`)
  const head = mutation === null ? lines.join('\r\n') : mutated(lines.join('\r\n'), mutation)
  const sent = bytes !== null && body?.chunked ? `${bytes.length.toString(16)}\r\n${bytes}\r\n0\r\n\r\n` : (bytes ?? '')
  return `${head}\r\nx-case: ${id}\r\n\r\n${sent}`
}

function mutated(text: string, { how, at, byte }: NonNullable<Plan['mutation']>): string {
  const place = at % text.length
  return (
    text.slice(0, place) +
    (how === 'remove' ? '' : String.fromCharCode(byte)) +
    text.slice(how === 'insert' ? place : place + 1)
  )
}
