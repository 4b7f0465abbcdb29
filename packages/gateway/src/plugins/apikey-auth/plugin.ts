import {
  CONSUMER_ID,
  CONSUMER_PERMISSIONS,
  conclude,
  envelopeOf,
  open,
  PRIORITY,
  type Refusal,
  type Verdict,
} from '@tsmicro/kong-plugins/apikey-auth'
import type { Section } from '../../config/section.ts'
import type { Answer } from '../../server/answer.ts'
import type { AccessPlugin, AccessRequest, PluginEnvironment, PluginKind } from '../plugin.ts'
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
  readonly #config: ApikeyConfig
  readonly #verification: Verification

  constructor(section: Section, environment: PluginEnvironment) {
    this.#config = readApikeyConfig(section, environment.env)
    this.hiddenHeaders = this.#config.hideCredentials ? this.#config.keyNames : []
    this.#verification = verificationFor(this.#config, environment)
  }

  access(request: AccessRequest): Answer | undefined | Promise<Answer | undefined> {
    const opening = open(request, this.#config)
    if (opening.kind === 'pass') return undefined
    if (opening.kind === 'refuse') return refuse(opening.refusal, request)
    const verdict = this.#verification.verdictOn(opening.key)
    return verdict instanceof Promise
      ? verdict.then(late => this.#conclude(late, request))
      : this.#conclude(verdict, request)
  }

  async close(): Promise<void> {
    await this.#verification.close()
  }

  #conclude(verdict: Verdict, request: AccessRequest): Answer | undefined {
    const ending = conclude(verdict, this.#config.permission)
    if (ending.kind === 'refuse') return refuse(ending.refusal, request)
    request.tellService(CONSUMER_ID, ending.consumer.id)
    request.tellService(CONSUMER_PERMISSIONS, ending.consumer.permissions.join(','))
    return undefined
  }
}

function refuse(refusal: Refusal, { requestId }: AccessRequest): Answer {
  const body = JSON.stringify(envelopeOf(refusal, requestId))
  return { status: refusal.status, headers: { 'x-request-id': requestId }, body }
}
