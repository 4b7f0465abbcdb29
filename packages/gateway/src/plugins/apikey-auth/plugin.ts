import { conclude, envelopeOf, open, PRIORITY, type Refusal, type Verdict } from '@tsmicro/kong-plugins/apikey-auth'
import { CONSUMER_ID, CONSUMER_PERMISSIONS } from '@tsmicro/kong-plugins/shared'
import type { Section } from '../../config/section.ts'
import type { Answer } from '../../server/answer.ts'
import type { AccessPlugin, AccessRequest, ForwardedCall, PluginEnvironment, PluginKind } from '../plugin.ts'
import { type ApikeyConfig, readApikeyConfig } from './config.ts'
import { type Verification, verificationFor } from './verification.ts'

/** The platform's API-key check. Its config: see `ApikeyConfig`. */
export const apikeyAuth: PluginKind = {
  name: 'apikey-auth',
  priority: PRIORITY,
  configure: (config, environment) => new ApikeyAuth(config, environment),
}

class ApikeyAuth implements AccessPlugin {
  readonly hiddenHeaders: readonly string[]
  readonly guards = true
  readonly #config: ApikeyConfig
  readonly #verification: Verification

  constructor(section: Section, environment: PluginEnvironment) {
    this.#config = readApikeyConfig(section, environment.vault)
    this.hiddenHeaders = this.#config.hideCredentials ? this.#config.keyNames : []
    this.#verification = verificationFor(this.#config, environment)
  }

  access(request: AccessRequest): Answer | undefined | Promise<Answer | undefined> {
    const valuesOf = (name: string) => request.headerValues(name)
    const opening = open({ path: request.sentPath, valuesOf }, this.#config)
    if (opening.kind === 'pass') return undefined
    if (opening.kind === 'refuse') return refuse(opening.refusal, request)
    const verdict = this.#verification.verdictOn(opening.key)
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
    const ending = conclude(verdict, this.#config.permission)
    if (ending.kind === 'refuse') return refuse(ending.refusal, request)
    request.consumer = ending.consumer
    return undefined
  }
}

function refuse(refusal: Refusal, { requestId }: AccessRequest): Answer {
  const body = JSON.stringify(envelopeOf(refusal, requestId))
  return { status: refusal.status, headers: { 'x-request-id': requestId }, body }
}
