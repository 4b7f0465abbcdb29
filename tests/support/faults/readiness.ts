import { send } from '../send.ts'
import type { Kind } from './kind.ts'

/** Whether a service reports that it is ready for requests. */
export function readiness(serviceUrl: string): Pick<Kind, 'normal' | 'isRefusal' | 'ask'> {
  return {
    normal: 200,
    isRefusal: ({ status, body }) => status === 503 && body?.ready === false,
    ask: () => send(serviceUrl, 'GET /health/ready'),
  }
}
