import { readFileSync } from 'node:fs'

/** What a verifier does with a question. */
export type VerifierAnswer = 'hangs' | 'closes' | { readonly status: number; readonly body: string }

/** What came of a request, in a form that both drivers give. */
export interface Outcome {
  /** `401 API_KEY_REQUIRED`, or what Kong says itself: `500 An unexpected error occurred`. Absent when it was forwarded. */
  readonly answer?: string
  /** As the service sees it. Absent when it was not forwarded. */
  readonly upstream?: {
    readonly url: string
    /** Those of {@link WATCHED} and those that the client sent; several values are joined. */
    readonly headers: Readonly<Record<string, string>>
  }
  /** Questions to verifiers, in their order: name of the verifier, key, and the secret if one was shown. */
  readonly asked: readonly string[]
}

export interface Step {
  /** Seconds since the step before. */
  readonly after?: number
  readonly request: {
    readonly method?: string
    /** Path and query. */
    readonly target?: string
    readonly headers?: readonly (readonly [name: string, value: string])[]
    /** In Lua alone: there are more header fields than a plugin is shown. */
    readonly truncated?: boolean
  }
  /** By name, as `verify_urls` has it: `http://one:1/verify` is `one`. Others are down. */
  readonly verifiers?: Readonly<Record<string, VerifierAnswer>>
  readonly expect: Outcome
}

/** Requests to one instance of a plugin, one after the other. */
export interface Case {
  readonly name: string
  readonly plugin: string
  readonly config: Readonly<Record<string, unknown>>
  /** Absent: the config is refused. */
  readonly steps?: readonly Step[]
}

/** What came of a case: `refused`, or an outcome for each step. */
export type Played = 'refused' | readonly Outcome[]

/** Fields that plugins set or remove. A signature is told as `good`, when a service would take it, or `bad`. */
const WATCHED = [
  'x-api-key',
  'x-consumer-id',
  'x-consumer-permissions',
  'x-gateway-signature',
  'x-verify-secret',
  'x-forwarded-prefix',
]

const FILES = ['apikey-auth', 'sign-request', 'strip-prefix']

/** The corpus: every file beside this one. */
export function readCases(): readonly Case[] {
  return FILES.flatMap(plugin => {
    const text = readFileSync(new URL(`${plugin}.json`, import.meta.url), 'utf8')
    return (JSON.parse(text) as Omit<Case, 'plugin'>[]).map(each => ({ ...each, plugin }))
  })
}

/** The fields of a request that outcomes tell. */
export function namesToTell({ request }: Step): ReadonlySet<string> {
  return new Set([...WATCHED, ...(request.headers ?? []).map(([name]) => name.toLowerCase())])
}

/** `{"error"}` or Kong's `{"message"}`. */
export function answerOf(status: number, body: { readonly error?: unknown; readonly message?: unknown }): string {
  return `${status} ${body.error ?? body.message}`
}
