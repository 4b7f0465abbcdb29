import {
  decide,
  envelopeOf,
  inspect,
  isPathPattern,
  PRIORITY,
  type Refusal,
  type Verdict,
} from '@tsmicro/kong-plugins/apikey-auth'
import { CONSUMER_ID, CONSUMER_PERMISSIONS } from '@tsmicro/kong-plugins/shared'
import { parseHttpUrl } from '../../config/read-service.ts'
import { configError, nonEmptyString, type Section } from '../../config/section.ts'
import { readSecret, type Vault } from '../../config/vault.ts'
import type { Answer } from '../../server/answer.ts'
import type { AccessPlugin, AccessRequest, ForwardedCall, PluginEnvironment, PluginKind } from '../plugin.ts'
import { type Verification, type VerificationConfig, verificationFor } from './verification.ts'

/** The plugin's config; the names in kong.yml are given for each member. */
interface ApikeyConfig extends VerificationConfig {
  /** `permission`: what the key has to permit, as the verifier names it, e.g. `WRITE`. Absent: any valid key passes. */
  readonly permission: string | undefined
  /** `anonymous_paths`: need no key. `/health` is that path alone, `/public/*` everything below `/public/`. See `isAnonymous`. */
  readonly anonymousPaths: readonly string[]
  /** `key_names` (`x-api-key`): header fields that may hold the key. A request may send one of them. */
  readonly keyNames: readonly string[]
  /** `hide_credentials` (true): whether the key is hidden from the service. */
  readonly hideCredentials: boolean
}

/** The platform's API-key check. Its config: see `ApikeyConfig` and `VerificationConfig`. */
export const apikeyAuth: PluginKind = {
  name: 'apikey-auth',
  priority: PRIORITY,
  configure: (config, environment) => new ApikeyAuth(config, environment),
}

class ApikeyAuth implements AccessPlugin {
  readonly hiddenHeaders: readonly string[]
  readonly guards: string
  readonly #config: ApikeyConfig
  readonly #verification: Verification

  constructor(section: Section, environment: PluginEnvironment) {
    this.#config = readApikeyConfig(section, environment.vault)
    this.hiddenHeaders = this.#config.hideCredentials ? this.#config.keyNames : []
    this.guards = inWords(this.#config)
    this.#verification = verificationFor(this.#config, environment)
  }

  access(request: AccessRequest): Answer | undefined | Promise<Answer | undefined> {
    const valuesOf = (name: string) => request.headerValues(name)
    const inspection = inspect({ path: request.sentPath, valuesOf }, this.#config)
    if (inspection.kind === 'pass') return undefined
    if (inspection.kind === 'refuse') return refuse(inspection.refusal, request)
    const verdict = this.#verification.verdictOn(inspection.key)
    return verdict instanceof Promise
      ? verdict.then(late => this.#conclude(late, request))
      : this.#conclude(verdict, request)
  }

  /** Tells the service whose key it was. */
  forward(call: ForwardedCall, { consumer }: AccessRequest): void {
    if (consumer === undefined) return
    call.headers.push(CONSUMER_ID, consumer.id, CONSUMER_PERMISSIONS, consumer.permissions.join(','))
  }

  async close(): Promise<void> {
    await this.#verification.close()
  }

  #conclude(verdict: Verdict, request: AccessRequest): Answer | undefined {
    const decision = decide(verdict, this.#config.permission)
    if (decision.kind === 'refuse') return refuse(decision.refusal, request)
    request.consumer = decision.consumer
    return undefined
  }
}

function inWords({ permission, anonymousPaths, verifiers }: ApikeyConfig): string {
  const except = anonymousPaths.length === 0 ? '' : `, except for ${anonymousPaths.join(', ')}`
  return `${verifiers.map(({ host }) => host).join(' or ')}'s API key${permission === undefined ? '' : ` for ${permission}`}${except}`
}

function refuse(refusal: Refusal, { requestId }: AccessRequest): Answer {
  const body = JSON.stringify(envelopeOf(refusal, requestId))
  return { status: refusal.status, headers: { 'x-request-id': requestId }, body }
}

const SECONDS = { min: 0, max: 3600, integer: false }

/** Throws `GatewayConfigError`. */
function readApikeyConfig(section: Section, vault: Vault): ApikeyConfig {
  const verifiers = section.restriction('verify_urls', (value, place) =>
    parseHttpUrl(nonEmptyString(value, place), place),
  )
  if (verifiers === undefined) throw configError(section.at('verify_urls'), 'is required')
  return {
    verifiers,
    secret: readSecret(section, 'verify_secret', vault),
    timeoutMs: section.number('timeout_ms', 2000, { min: 1, max: 60_000, integer: true }),
    times: {
      good: section.number('cache_ttl', 5, SECONDS),
      bad: section.number('negative_cache_ttl', 1, SECONDS),
    },
    permission: section.optionalString('permission'),
    anonymousPaths: section.list('anonymous_paths', pathPattern) ?? [],
    keyNames: section.restriction('key_names', headerName) ?? ['x-api-key'],
    hideCredentials: section.boolean('hide_credentials', true),
  }
}

function pathPattern(value: unknown, place: string): string {
  const pattern = nonEmptyString(value, place)
  if (!isPathPattern(pattern)) throw configError(place, 'must look like /health, /public/* or /public*')
  return pattern
}

function headerName(value: unknown, place: string): string {
  const name = nonEmptyString(value, place)
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw configError(place, 'must be the name of a header field, in lower case')
  return name
}
