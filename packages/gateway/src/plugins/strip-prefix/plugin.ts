import { PRIORITY, withoutPrefix } from '@tsmicro/kong-plugins/strip-prefix'
import { configError } from '../../config/config-error.ts'
import type { Section } from '../../config/section.ts'
import type { AccessPlugin, ForwardedCall, PluginKind } from '../plugin.ts'

/**
 * Takes a prefix off the path that the service sees, for routes whose whole path is a regular expression: Kong's own
 * `strip_path` would take off all that the expression matched. Config:
 * - `prefix`: `/blog`, without a slash at the end
 */
export const stripPrefix: PluginKind = {
  name: 'strip-prefix',
  priority: PRIORITY,
  configure: config => new StripPrefix(config),
}

class StripPrefix implements AccessPlugin {
  readonly hiddenHeaders = []
  readonly #prefix: string

  constructor(config: Section) {
    this.#prefix = config.string('prefix')
    if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(this.#prefix))
      throw configError(config.at('prefix'), 'must look like /blog, without a slash at the end')
  }

  access(): undefined {}

  /** @throws {Error} when the path does not lie below the prefix: the route is not the plugin's, and nothing is forwarded */
  forward(call: ForwardedCall): void {
    const path = withoutPrefix(call.path, this.#prefix)
    if (path === undefined) throw new Error(`strip-prefix: a path does not begin with ${this.#prefix}/`)
    call.path = path
    call.headers.push('x-forwarded-prefix', this.#prefix)
  }

  async close(): Promise<void> {}
}
