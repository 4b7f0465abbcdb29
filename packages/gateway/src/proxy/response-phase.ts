import type { AccessPlugin, AccessRequest } from '../plugins/plugin.ts'
import { HeaderList } from '../server/header-list.ts'
import type { GatewayLog } from '../server/log.ts'

/** What the plugins do to the header fields of an answer, as one step. */
export function responsePhase(
  plugins: readonly AccessPlugin[],
  view: () => AccessRequest,
  log: GatewayLog,
): (headers: string[]) => void {
  return fields => {
    const headers = new HeaderList(fields)
    const request = view()
    for (const plugin of plugins) {
      try {
        plugin.respond?.(request, headers)
      } catch (error) {
        // As in Kong: the request was let pass, and its answer is not lost over a header field.
        const err = error instanceof Error ? error.stack : String(error)
        log.error({ requestId: request.gatewayRequestId, err }, 'a plugin failed on a response')
      }
    }
  }
}
