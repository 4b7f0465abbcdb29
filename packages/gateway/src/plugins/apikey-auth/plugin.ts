import { hash } from 'node:crypto'
import { parseHttpUrl } from '../../config/read-target.ts'
import { readSecret } from '../../config/secret.ts'
import type { Section } from '../../config/section.ts'
import { codeOf } from '../../proxy/failure.ts'
import type { Answer } from '../../server/answer.ts'
import type { AccessPlugin, AccessRequest, PluginEnvironment, PluginKind } from '../plugin.ts'
import { judge, KEY_HEADER, KEY_INVALID, KEY_REQUIRED, type Refusal, readKey, type Verdict } from './core.ts'
import { VerdictCache } from './verdict-cache.ts'
import { Verifier } from './verifier.ts'

/**
 * The platform's API-key check. Config:
 * - `verify_url`: `http://auth:8001/verify/apikey`, asked with `POST {"key","permission"?}`, answering `{"valid","permitted"?}`;
 *   its host may name an upstream of the config
 * - `verify_secret`: sent along as `x-verify-secret`, 32 bytes or more; absent = not sent
 * - `permission`: what a key must permit to pass, as the verifier names it, e.g. `WRITE`; absent = any good key passes
 * - `timeout_ms` (2000): bounds the whole question
 * - `cache_ttl` (5) and `negative_cache_ttl` (1): seconds that a yes and a no are remembered (403 counts as a no); 0 is not at all
 */
export const apikeyAuth: PluginKind = {
  name: 'apikey-auth',
  priority: 1250,
  configure: (config, environment) => new ApikeyAuth(config, environment),
}

const SECONDS = { min: 0, max: 3600, integer: false }

class ApikeyAuth implements AccessPlugin {
  readonly hiddenHeaders = [KEY_HEADER]
  readonly #verifier: Verifier
  readonly #cache: VerdictCache
  readonly #environment: PluginEnvironment

  constructor(config: Section, environment: PluginEnvironment) {
    const target = parseHttpUrl(config.string('verify_url'), config.at('verify_url'))
    const timeoutMs = config.number('timeout_ms', 2000, { min: 1, max: 60_000, integer: true })
    const secret = readSecret(config, 'verify_secret', environment.env)
    const permission = config.optionalString('permission')
    // Its verdicts are about one permission, because it belongs to this instance alone.
    this.#cache = new VerdictCache({
      validMs: config.number('cache_ttl', 5, SECONDS) * 1000,
      invalidMs: config.number('negative_cache_ttl', 1, SECONDS) * 1000,
      maxEntries: 10_000,
      now: () => performance.now(),
    })
    this.#verifier = new Verifier({
      path: target.path,
      balancer: environment.balancerOf(target),
      timeoutMs,
      permission,
      secret,
    })
    this.#environment = environment
  }

  access(request: AccessRequest): Answer | undefined | Promise<Answer | undefined> {
    const reading = readKey(request.headerValues(KEY_HEADER))
    if (reading.kind === 'missing') return refuse(KEY_REQUIRED, request)
    if (reading.kind === 'malformed') return refuse(KEY_INVALID, request)
    // The cache never holds a key, so that a heap dump does not give any away.
    const verdict = this.#cache.get(hash('sha256', reading.key, 'base64url'), () => this.#verify(reading.key))
    return typeof verdict === 'string' ? answer(verdict, request) : verdict.then(late => answer(late, request))
  }

  async close(): Promise<void> {
    await this.#verifier.close()
  }

  async #verify(key: string): Promise<Verdict> {
    try {
      return await this.#verifier.verify(key)
    } catch (error) {
      const { message, code } =
        error instanceof Error ? { message: error.message, code: codeOf(error) } : { message: '', code: '' }
      this.#environment.log.warn({ plugin: apikeyAuth.name, code }, `API key not verified: ${message}`)
      return 'unknown'
    }
  }
}

function answer(verdict: Verdict, request: AccessRequest): Answer | undefined {
  const refusal = judge(verdict)
  return refusal && refuse(refusal, request)
}

/** The platform's envelope for failures. */
function refuse({ status, message, error }: Refusal, { requestId }: AccessRequest): Answer {
  const body = JSON.stringify({ code: '10001', status, message, error, requestId })
  return { status, headers: { 'x-request-id': requestId }, body }
}
