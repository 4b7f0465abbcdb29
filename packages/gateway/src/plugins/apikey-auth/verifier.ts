import { LONGEST_BODY, readVerdict, UNKNOWN, type Verdict, type VerifierBody } from '@tsmicro/kong-plugins/apikey-auth'
import type { Balancer, Target } from '../../balancing/balancer.ts'
import { codeOf, failureOf } from '../../balancing/failure.ts'
import { TargetPools } from '../../balancing/upstream.ts'

export interface VerifierOptions {
  readonly path: string
  readonly balancer: Balancer
  /** The longest that a verification may take. */
  readonly timeoutMs: number
  /** Proves to the verifier that the gateway is asking. */
  readonly secret: string | undefined
}

/** Asks the auth service whether a key is valid: `POST {"key"}` → `{"valid","id","permissions"}`. */
export class Verifier {
  readonly #balancer: Balancer
  readonly #pools: TargetPools
  readonly #path: string
  readonly #headers: Readonly<Record<string, string>>

  constructor({ path, balancer, timeoutMs, secret }: VerifierOptions) {
    this.#balancer = balancer
    // Bounded, so that a flood of made-up keys queues here (and times out) instead of flooding the auth service.
    this.#pools = new TargetPools(balancer.targets, { connections: 64, allowH2: false, connectTimeout: timeoutMs })
    this.#path = path
    const json = { 'content-type': 'application/json', accept: 'application/json' }
    this.#headers = { ...json, ...(secret === undefined ? {} : { 'x-verify-secret': secret }) }
  }

  /**
   * Throws if the verifier cannot be reached, or does not answer in time and in the right form. The error never contains the key.
   * `timeoutMs` limits the whole exchange, from taking a connection to the last byte, so a slow stream of bytes cannot hold a request.
   */
  async verify(key: string, timeoutMs: number): Promise<Verdict> {
    const abort = new AbortController()
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      const error = new Error(`no answer within ${Math.round(timeoutMs)} ms`)
      late.reject(error)
      abort.abort(error)
    }, timeoutMs)
    try {
      // A race, because aborting does not end a request that still waits for a connection.
      return await Promise.race([this.#ask(key, abort.signal), late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  /** A verification changes nothing, so it is repeated on the next target if its connection fails. */
  async #ask(key: string, signal: AbortSignal): Promise<Verdict> {
    const tried = new Set<Target>()
    for (;;) {
      const target = this.#balancer.pick(tried)
      if (target === undefined) throw new Error('no verifier is healthy')
      tried.add(target)
      try {
        return await this.#askOne(target, key, signal)
      } catch (error) {
        const lost = error instanceof Error && isLostConnection(error)
        if (lost) this.#balancer.failed(target, 'tcpFailure')
        if (!lost || signal.aborted || !this.#balancer.hasOther(tried)) throw error
      }
    }
  }

  async #askOne(target: Target, key: string, signal: AbortSignal): Promise<Verdict> {
    let hinted = false
    const { statusCode, body } = await this.#pools.to(target).request({
      method: 'POST',
      path: this.#path,
      headers: { host: target.name, ...this.#headers },
      body: JSON.stringify({ key }),
      signal,
      onInfo: () => {
        hinted = true
      },
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > LONGEST_BODY) throw new Error(`the verifier's answer is longer than ${LONGEST_BODY} bytes`)
      chunks.push(chunk)
    }
    const answer = readBody(Buffer.concat(chunks).toString('utf8'))
    // As in Kong, whose client takes a 103 for the answer.
    const verdict = hinted ? UNKNOWN : readVerdict(statusCode, answer)
    if (verdict.kind === 'unknown') throw new Error(`the verifier gave no verdict (status ${statusCode})`)
    return verdict
  }

  async close(): Promise<void> {
    await this.#pools.close()
  }
}

/** Errors without a code are our own, about an answer that did arrive. */
function isLostConnection(error: Error): boolean {
  return codeOf(error) !== '' && codeOf(error) !== 'ABORT_ERR' && failureOf(error).target !== undefined
}

const NOTHING: VerifierBody = { valid: undefined, id: undefined, permissions: undefined }

function readBody(text: string): VerifierBody {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null) return NOTHING
    const { valid, id, permissions }: { [name in keyof VerifierBody]?: unknown } = body
    return { valid, id, permissions: listOf(permissions) }
  } catch {
    return NOTHING
  }
}

/** An empty object counts as an empty list, as in Kong: Lua cannot tell them apart. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0 ? [] : undefined
}
