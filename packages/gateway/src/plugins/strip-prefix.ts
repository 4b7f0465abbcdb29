import { PRIORITY, withoutPrefix } from '@tsmicro/kong-plugins/strip-prefix'
import { configError } from '../config/section.ts'
import type { PluginKind } from './plugin.ts'

/**
 * Removes a prefix from the path that the service sees. Meant for routes whose whole path is a regular expression, where Kong's own
 * `strip_path` would remove everything that the expression matched. Config:
 * - `prefix`: `/blog`, without a trailing slash
 */
export const stripPrefix: PluginKind = {
  name: 'strip-prefix',
  priority: PRIORITY,
  configure: config => {
    const prefix = config.string('prefix')
    if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(prefix))
      throw configError(config.at('prefix'), 'must look like /blog, without a slash at the end')
    return {
      forward(call) {
        const path = withoutPrefix(call.path, prefix)
        // The plugin is on the wrong route: nothing is forwarded.
        if (path === undefined) throw new Error(`strip-prefix: a path does not begin with ${prefix}/`)
        call.path = path
        call.headers.push('x-forwarded-prefix', prefix)
      },
    }
  },
}
