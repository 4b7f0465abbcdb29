import { HIDDEN_HEADERS, PRIORITY, SIGNATURE_HEADER } from '@tsmicro/kong-plugins/sign-request'
import { readSecret } from '../../config/secret.ts'
import type { Section } from '../../config/section.ts'
import type { AccessPlugin, ForwardedCall, PluginEnvironment, PluginKind } from '../plugin.ts'
import { sign } from './sign.ts'

/**
 * Signs what is forwarded, so that a service can refuse whatever did not pass here. Config:
 * - `secret`: 32 bytes or more, shared with the services; absent (also in the environment that it refers to) = unsigned,
 *   which services refuse in production
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

  access(): undefined {}

  forward(call: ForwardedCall): void {
    if (this.#secret === undefined) return
    call.headers.push(SIGNATURE_HEADER, sign(this.#secret, call, Math.floor(Date.now() / 1000)))
  }

  async close(): Promise<void> {}
}
