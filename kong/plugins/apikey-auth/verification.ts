import { encode, new as newJson } from 'cjson.safe'
import { new as newClient } from 'resty.http'
import { new as newDigest } from 'resty.openssl.digest'
import { to_hex } from 'resty.string'
import { LONGEST_BODY, readVerdict, shareOf, ttlOf, UNKNOWN, type Verdict, type VerifierBody } from './core.ts'

/** The part of the plugin's config that concerns verification. A field that is not set is nil or ngx.null. */
export interface Verifiers {
  readonly verify_urls: readonly string[]
  readonly verify_secret: string | undefined
  readonly timeout_ms: number
  readonly cache_ttl: number
  readonly negative_cache_ttl: number
}

/** A remembered verdict. Times are in seconds since 1970. */
interface Entry {
  readonly verdict: Verdict
  readonly madeAt: number
  readonly goodUntil: number
}

/** In seconds. For Kong's cache, 0 means forever. */
const NOT_AT_ALL = 0.001
/** In seconds: how late a cache may forget an entry. */
const GRACE = 0.1
/** In seconds, the longest that a request waits in Kong's cache: those that waited can still find for so long that the question failed. */
const LONGEST_WAIT = 5

/** Returns the verdict on a key, remembered or new. All workers of a Kong share one question about a key. */
export function verdictOn(key: string, verifiers: Verifiers): Verdict {
  const cameAt = ngx.now()
  const { cache_ttl, negative_cache_ttl, verify_urls } = verifiers
  // Routes with different times to live do not share verdicts. The cache never holds a key.
  const id = `apikey-auth:${cache_ttl}:${negative_cache_ttl}:${verify_urls.join(',')}:${hashOf(key)}`
  let [entry, fault] = kong.cache.get(id, { resurrect_ttl: NOT_AT_ALL }, load, key, verifiers)
  // Whoever waited for a failed question shares its outcome: otherwise they would ask one after another, each for `timeout_ms`. A later
  // request asks again.
  if (entry !== undefined && entry.verdict.kind === 'unknown' && entry.madeAt < cameAt)
    [entry, fault] = kong.cache.renew(id, {}, load, key, verifiers)
  if (fault !== undefined) kong.log.err('API key not verified: ', fault)
  // Kong's cache returns an expired yes to a request that waited too long (5 s) for another request's question about the same key,
  // whatever resurrect_ttl is. This was measured with a verifier that hangs and twenty concurrent requests.
  return entry === undefined || ngx.now() > entry.goodUntil ? UNKNOWN : entry.verdict
}

/** Never fails: after a failure, Kong's cache would bring an expired yes back. */
function load(this: void, key: string, verifiers: Verifiers): LuaMultiReturn<[Entry, undefined, number]> {
  let verdict = UNKNOWN
  try {
    verdict = verify(key, verifiers)
  } catch (fault) {
    kong.log.err('API key not verified: ', fault)
  }
  const ttl = ttlOf(verdict, { good: verifiers.cache_ttl, bad: verifiers.negative_cache_ttl })
  const life = verdict.kind === 'unknown' ? LONGEST_WAIT : Math.max(NOT_AT_ALL, ttl)
  const madeAt = ngx.now()
  return $multi({ verdict, madeAt, goodUntil: madeAt + life + GRACE }, undefined, life)
}

/** Asks the verifiers in turn until one answers, all within one deadline. */
function verify(key: string, verifiers: Verifiers): Verdict {
  const { verify_urls, timeout_ms } = verifiers
  const deadline = ngx.now() + timeout_ms / 1000
  let remaining = verify_urls.length
  for (const url of verify_urls) {
    const seconds = shareOf(deadline - ngx.now(), remaining)
    if (seconds <= 0) return UNKNOWN
    const verdict = askInTime(url, key, verifiers, seconds)
    if (verdict.kind !== 'unknown') return verdict
    remaining -= 1
  }
  return UNKNOWN
}

/** Limits the whole exchange. The time-out of resty.http applies to each read, so a slow stream of bytes could hold a request for long. */
function askInTime(url: string, key: string, verifiers: Verifiers, seconds: number): Verdict {
  const asking = ngx.thread.spawn(ask, url, key, verifiers, seconds)
  const waiting = ngx.thread.spawn(sleep, seconds)
  const [ended, verdict] = ngx.thread.wait(asking, waiting)
  ngx.thread.kill(asking)
  ngx.thread.kill(waiting)
  if (ended) return verdict
  kong.log.err('API key not verified: ', verdict)
  return UNKNOWN
}

function sleep(this: void, seconds: number): Verdict {
  ngx.sleep(seconds)
  kong.log.warn('API key not verified: no answer in time')
  return UNKNOWN
}

function ask(this: void, url: string, key: string, { verify_secret }: Verifiers, seconds: number): Verdict {
  const client = newClient()
  client.set_timeout(Math.ceil(seconds * 1000))
  const secret = verify_secret === ngx.null || verify_secret === '' ? undefined : verify_secret
  const [answer, fault] = client.request_uri(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', 'x-verify-secret': secret },
    body: encode({ key }),
  })
  if (answer === undefined) {
    kong.log.warn('API key not verified: ', fault)
    return UNKNOWN
  }
  const verdict = readVerdict(answer.status, readBody(answer.body ?? ''))
  if (verdict.kind === 'unknown') kong.log.warn('the verifier gave no verdict (status ', answer.status, ')')
  return verdict
}

/** Reads only JSON: by default, Lua's would also take NaN, Infinity and hexadecimal numbers. */
const json = newJson()
json.decode_invalid_numbers(false)

function readBody(text: string): VerifierBody {
  const body = text.length > LONGEST_BODY ? undefined : json.decode(text)
  if (type(body) !== 'table') return { valid: undefined, id: undefined, permissions: undefined }
  const { valid, id, permissions } = body as Record<string, unknown>
  return { valid, id, permissions: listOf(permissions) }
}

function listOf(value: unknown): readonly unknown[] | undefined {
  if (type(value) !== 'table') return undefined
  for (const [index] of value as LuaTable<string | number, unknown>) if (typeof index !== 'number') return undefined
  return value as unknown[]
}

function hashOf(key: string): string {
  const [digest, fault] = newDigest('sha256')
  if (digest === undefined) throw fault
  const [bytes, failure] = digest.final(key)
  if (bytes === undefined) throw failure
  return to_hex(bytes)
}
