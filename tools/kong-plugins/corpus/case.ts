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

/** Reads the corpus from the files beside this one. */
export function readCases(): readonly Case[] {
  return FILES.flatMap(plugin => {
    const text = readFileSync(new URL(`${plugin}.json`, import.meta.url), 'utf8')
    return (JSON.parse(text) as Omit<Case, 'plugin'>[]).map(each => ({ ...each, plugin }))
  })
}

/** The fields that the outcome of a step reports. */
export function reportedFields({ request }: Step): ReadonlySet<string> {
  return new Set([...WATCHED, ...(request.headers ?? []).map(([name]) => name.toLowerCase())])
}

/** `{"error"}` or Kong's `{"message"}`. */
export function answerOf(status: number, body: { readonly error?: unknown; readonly message?: unknown }): string {
  return `${status} ${body.error ?? body.message}`
}
