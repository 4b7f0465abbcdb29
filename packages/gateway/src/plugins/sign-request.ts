import { createHmac } from 'node:crypto'
import { HIDDEN_HEADERS, PRIORITY, SIGNATURE_HEADER, signatureOf, textToSign } from '@tsmicro/kong-plugins/sign-request'
import type { Section } from '../config/section.ts'
import { readSecret } from '../config/vault.ts'
import { headerValues } from '../server/header-fields.ts'
import type { AccessPlugin, ForwardedCall, PluginEnvironment, PluginKind } from './plugin.ts'

/**
 * Signs forwarded requests, so that services can refuse requests that did not pass through the gateway. Config:
 * - `secret`: 32 bytes or more, shared with the services. If it is absent, or refers to a variable that is not set, requests are
 *   forwarded unsigned, which services refuse in production
 */
export const signRequest: PluginKind = {
  name: 'sign-request',
  priority: PRIORITY,
  configure: (config, environment) => new SignRequest(config, environment),
}

class SignRequest implements AccessPlugin {
  readonly hiddenHeaders = HIDDEN_HEADERS
  readonly #secret: string | undefined

  constructor(config: Section, { vault }: PluginEnvironment) {
    this.#secret = readSecret(config, 'secret', vault)
  }

  forward(call: ForwardedCall): void {
    if (this.#secret === undefined) return
    call.headers.push(SIGNATURE_HEADER, sign(this.#secret, call, Math.floor(Date.now() / 1000)))
  }
}

/** The value of `x-gateway-signature`. Header values are bytes (latin1), like everything that has not been decoded. */
export function sign(secret: string, { method, path, query, headers }: ForwardedCall, seconds: number): string {
  const valuesOf = (name: string) => headerValues(headers, name)
  const text = textToSign(String(seconds), { method, target: path + query, valuesOf })
  return signatureOf(String(seconds), createHmac('sha256', secret).update(text, 'latin1').digest('hex'))
}
