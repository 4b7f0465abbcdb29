import { hash } from 'node:crypto'
import { shareOf, type Verdict } from '@tsmicro/kong-plugins/apikey-auth'
import { codeOf } from '../../proxy/failure.ts'
import type { PluginEnvironment } from '../plugin.ts'
import type { ApikeyConfig } from './config.ts'
import { VerdictCache } from './verdict-cache.ts'
import { Verifier } from './verifier.ts'

/** Routes that ask the same verifiers for as long share what is known of a key, whatever they permit. */
const shared = new WeakMap<PluginEnvironment, Map<string, Verification>>()

/** The verification for a config; one for all that ask alike. */
export function verificationFor(config: ApikeyConfig, environment: PluginEnvironment): Verification {
  const all = shared.get(environment) ?? new Map<string, Verification>()
  shared.set(environment, all)
  const { verifiers, secret, timeoutMs, times } = config
  const id = JSON.stringify([verifiers, secret, timeoutMs, times])
  const verification = all.get(id) ?? new Verification(config, environment)
  all.set(id, verification)
  return verification
}

/** What is known of keys, and who is asked about the others. */
export class Verification {
  readonly #cache: VerdictCache
  readonly #verifiers: readonly Verifier[]
  readonly #timeoutMs: number
  readonly #environment: PluginEnvironment

  constructor({ verifiers, secret, timeoutMs, times }: ApikeyConfig, environment: PluginEnvironment) {
    this.#cache = new VerdictCache({ times, maxEntries: 10_000, now: () => performance.now() })
    this.#verifiers = verifiers.map(
      target => new Verifier({ path: target.path, balancer: environment.balancerOf(target), timeoutMs, secret }),
    )
    this.#timeoutMs = timeoutMs
    this.#environment = environment
  }

  verdictOn(key: string): Verdict | Promise<Verdict> {
    // The cache never holds a key, so that a heap dump does not give any away.
    const verdict = this.#cache.get(hash('sha256', key, 'base64url'), () => this.#verify(key))
    return verdict instanceof Promise ? verdict.then(late => this.#unlessRevoked(late)) : this.#unlessRevoked(verdict)
  }

  /** Looked at with each use, so that a yes which was remembered, or still on its way when the key was revoked, is none. */
  #unlessRevoked(verdict: Verdict): Verdict {
    const revoked = verdict.kind === 'valid' && this.#environment.revocations.has(verdict.consumer.id)
    return revoked ? { kind: 'invalid' } : verdict
  }

  async close(): Promise<void> {
    await Promise.all(this.#verifiers.map(verifier => verifier.close()))
  }

  /** Asks in turn until one knows, all within one deadline. */
  async #verify(key: string): Promise<Verdict> {
    const deadline = performance.now() + this.#timeoutMs
    for (const [tried, verifier] of this.#verifiers.entries()) {
      const time = shareOf(deadline - performance.now(), this.#verifiers.length - tried)
      if (time <= 0) break
      try {
        return await verifier.verify(key, time)
      } catch (error) {
        this.#warn(error)
      }
    }
    return { kind: 'unknown' }
  }

  #warn(error: unknown): void {
    const { message, code } =
      error instanceof Error ? { message: error.message, code: codeOf(error) } : { message: '', code: '' }
    this.#environment.log.warn({ plugin: 'apikey-auth', code }, `API key not verified: ${message}`)
  }
}
