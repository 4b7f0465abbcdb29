import { Pool } from 'undici'
import type { Balancer } from '../../balancing/balancer.ts'
import type { Target } from '../../balancing/target.ts'
import { codeOf, failureOf } from '../../proxy/failure.ts'
import { readVerdict, type Verdict, type VerifierBody } from './core.ts'

/** The verifier answers in a few bytes; anything longer is not its answer. */
const MAX_BODY_BYTES = 4096

export interface VerifierOptions {
  readonly path: string
  readonly balancer: Balancer
  /** Bounds the whole call, from taking a connection to the last byte: a verifier that drips bytes cannot hold a request. */
  readonly timeoutMs: number
  /** What the key must permit; absent = being good is enough. */
  readonly permission: string | undefined
  /** Tells the verifier that the gateway asks. */
  readonly secret: string | undefined
}

/** Asks the auth service whether a key is good: `POST {"key","permission"?}` → `{"valid","permitted"?}`. */
export class Verifier {
  readonly #balancer: Balancer
  readonly #pools: ReadonlyMap<Target, Pool>
  readonly #path: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #timeoutMs: number
  readonly #permission: string | undefined

  constructor({ path, balancer, timeoutMs, permission, secret }: VerifierOptions) {
    this.#balancer = balancer
    // Bounded, so that a flood of made-up keys queues here (and times out) instead of flooding the auth service.
    const options = { connections: 64, allowH2: false, connectTimeout: timeoutMs }
    this.#pools = new Map(balancer.targets.map(target => [target, new Pool(`http://${target.address}`, options)]))
    this.#path = path
    const json = { 'content-type': 'application/json', accept: 'application/json' }
    this.#headers = { ...json, ...(secret === undefined ? {} : { 'x-verify-secret': secret }) }
    this.#timeoutMs = timeoutMs
    this.#permission = permission
  }

  /** Throws when the verifier cannot be asked or does not answer in time and in form. The error never holds the key. */
  async verify(key: string): Promise<Verdict> {
    const abort = new AbortController()
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      const error = new Error(`no answer within ${this.#timeoutMs} ms`)
      late.reject(error)
      abort.abort(error)
    }, this.#timeoutMs)
    try {
      // A race, because aborting alone does not end a request that still waits for a connection.
      return await Promise.race([this.#ask(key, abort.signal), late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  /** A question changes nothing: where its connection fails, it goes to the next target. */
  async #ask(key: string, signal: AbortSignal): Promise<Verdict> {
    const tried = new Set<Target>()
    for (;;) {
      const target = this.#balancer.pick(tried)
      const pool = target && this.#pools.get(target)
      if (target === undefined || pool === undefined) throw new Error('no verifier is healthy')
      tried.add(target)
      try {
        return await this.#askOne(target, pool, key, signal)
      } catch (error) {
        const lost = error instanceof Error && isLostConnection(error)
        if (lost) this.#balancer.failed(target, 'tcpFailure')
        if (!lost || signal.aborted || !this.#balancer.hasOther(tried)) throw error
      }
    }
  }

  async #askOne(target: Target, pool: Pool, key: string, signal: AbortSignal): Promise<Verdict> {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: this.#path,
      headers: { host: target.name, ...this.#headers },
      body: JSON.stringify({ key, permission: this.#permission }),
      signal,
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_BODY_BYTES) throw new Error(`the verifier's answer is longer than ${MAX_BODY_BYTES} bytes`)
      chunks.push(chunk)
    }
    const answer = readBody(Buffer.concat(chunks).toString('utf8'))
    const verdict = readVerdict(statusCode, answer, this.#permission !== undefined)
    if (verdict === 'unknown') throw new Error(`the verifier gave no verdict (status ${statusCode})`)
    return verdict
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map(pool => pool.destroy()))
  }
}

/** Errors without a code are our own, about what was answered. */
function isLostConnection(error: Error): boolean {
  return codeOf(error) !== '' && codeOf(error) !== 'ABORT_ERR' && failureOf(error).target !== undefined
}

const NOTHING: VerifierBody = { valid: undefined, permitted: undefined }

function readBody(text: string): VerifierBody {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null) return NOTHING
    return { ...NOTHING, ...body }
  } catch {
    return NOTHING
  }
}
