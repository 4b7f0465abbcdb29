import { readFileSync } from 'node:fs'

/** What a verifier does when it is asked. */
export type VerifierAnswer = 'hangs' | 'closes' | { readonly status: number; readonly body: string }

/** The outcome of a request, in a form that is the same for both drivers. */
export interface Outcome {
  /** `401 API_KEY_REQUIRED`, or Kong's own answer: `500 An unexpected error occurred`. Absent if the request was forwarded. */
  readonly answer?: string
  /** The request as the service sees it. Absent if it was not forwarded. */
  readonly upstream?: {
    readonly url: string
    /** Those in {@link WATCHED} and those that the client sent; several values are joined. */
    readonly headers: Readonly<Record<string, string>>
  }
  /** The questions to verifiers, in their order: name of the verifier, key, and the secret if one was sent. */
  readonly asked: readonly string[]
}

export interface Step {
  /** Seconds since the previous step. */
  readonly after?: number
  readonly request: {
    readonly method?: string
    /** Path and query. */
    readonly target?: string
    readonly headers?: readonly (readonly [name: string, value: string])[]
    /** Only in Lua: the request has more header fields than a plugin can see. */
    readonly truncated?: boolean
  }
  /** By the name in `verify_urls`: `http://one:1/verify` is `one`. Other verifiers are down. */
  readonly verifiers?: Readonly<Record<string, VerifierAnswer>>
  readonly expect: Outcome
}

/** Requests to one instance of a plugin, one after another. */
export interface Case {
  readonly name: string
  readonly plugin: string
  readonly config: Readonly<Record<string, unknown>>
  /** Absent if the config is refused. */
  readonly steps?: readonly Step[]
}

/** The result of a case: `refused`, or an outcome for each step. */
export type Played = 'refused' | readonly Outcome[]

/** Fields that plugins set or remove. A signature is reported as `good` if a service would accept it, otherwise as `bad`. */
const WATCHED = [
  'x-api-key',
  'x-consumer-id',
  'x-consumer-permissions',
  'x-gateway-signature',
  'x-verify-secret',
  'x-forwarded-prefix',
]

const FILES = ['apikey-auth', 'sign-request', 'strip-prefix']

/** Short for the usual answers of a verifier. */
const ANSWERS: Readonly<Record<string, VerifierAnswer>> = {
  'says yes': { status: 200, body: '{"valid":true,"id":"c-1","permissions":["READ","WRITE"]}' },
  'says no': { status: 200, body: '{"valid":false}' },
}

/** Reads the corpus from the files beside this one. */
export function readCases(): readonly Case[] {
  const cases = FILES.flatMap(plugin => read<Omit<Case, 'plugin'>[]>(plugin).map(each => ({ ...each, plugin })))
  return [...cases, ...Object.entries(read<Record<string, VerifierAnswer>>('no-verdict')).map(noVerdict)]
}

function read<T>(name: string): T {
  const text = readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')
  return JSON.parse(text, (_, value) => ANSWERS[value] ?? value)
}

/** A verifier whose answer is not a verdict: the request is refused, and the next one asks again. */
function noVerdict([what, answer]: [string, VerifierAnswer]): Case {
  const request = { headers: [['x-api-key', 'k']] } as const
  const consumer = { 'x-consumer-id': 'c-1', 'x-consumer-permissions': 'READ,WRITE' }
  const asked = ['one k']
  return {
    name: `the verifier sends ${what}: unknown, and asked again`,
    plugin: 'apikey-auth',
    config: { verify_urls: ['http://one:1/verify'], cache_ttl: 60, negative_cache_ttl: 60 },
    steps: [
      { request, verifiers: { one: answer }, expect: { answer: '503 SERVICE_UNAVAILABLE', asked } },
      {
        after: 1,
        request,
        verifiers: { one: ANSWERS['says yes'] ?? 'closes' },
        expect: { upstream: { url: '/', headers: consumer }, asked },
      },
    ],
  }
}

/** The fields that the outcome of a step reports. `connection` is that of each connection. */
export function reportedFields({ request }: Step): ReadonlySet<string> {
  const sent = (request.headers ?? []).map(([name]) => name.toLowerCase())
  return new Set([...WATCHED, ...sent.filter(name => name !== 'connection')])
}

/** `{"error"}` or Kong's `{"message"}`. */
export function answerOf(status: number, body: { readonly error?: unknown; readonly message?: unknown }): string {
  return `${status} ${body.error ?? body.message}`
}
