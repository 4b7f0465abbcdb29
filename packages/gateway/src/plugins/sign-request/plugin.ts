import { readSecret } from '../../config/secret.ts'
import type { Section } from '../../config/section.ts'
import type { AccessPlugin, ForwardedCall, PluginEnvironment, PluginKind } from '../plugin.ts'
import { signatureOf } from './core.ts'

/**
 * Signs what is forwarded, so that a service can refuse whatever did not pass here. Config:
 * - `secret`: 32 bytes or more, shared with the services; absent (also in the environment that it refers to) = unsigned,
 *   which services refuse in production
 */
export const signRequest: PluginKind = {
  name: 'sign-request',
  // The last of all: it signs what the others have made of the request.
  priority: 10,
  configure: (config, environment) => new SignRequest(config, environment),
}

class SignRequest implements AccessPlugin {
  // A client's own would only be refused, but is not to come near a service.
  readonly hiddenHeaders = ['x-gateway-signature', 'x-verify-secret']
  readonly #secret: string | undefined

  constructor(config: Section, { env }: PluginEnvironment) {
    this.#secret = readSecret(config, 'secret', env)
  }

  access(): undefined {}

  forward(call: ForwardedCall): void {
    if (this.#secret === undefined) return
    call.headers.push('x-gateway-signature', signatureOf(this.#secret, call, Math.floor(Date.now() / 1000)))
  }

  async close(): Promise<void> {}
}
