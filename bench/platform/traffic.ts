import { gatewaySignature } from 'tsmicro/internal'

/** What is asked for: read by everybody, read by its author, a user's own profile, a new draft. */
export const ROUTES = ['public', 'draft', 'profile', 'create'] as const
export type Route = (typeof ROUTES)[number]

/** Which service answers it. */
export const SERVICE_OF = { public: 'blog', draft: 'blog', profile: 'auth', create: 'blog' } as const
export type ServiceName = (typeof SERVICE_OF)[Route]

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly token?: string
  readonly body?: string
}

/** In a body, replaced by a number that no other request has. */
export const COUNTER = '%n%'

export const GATEWAY_SECRET = 'the secret of the gateway in the benchmark'

/** The headers of a request as the gateway sends it. */
export function signed({ method, path, token }: Request): Record<string, string> {
  const headers = {
    'x-request-id': 'bench-0123456789abcdef',
    'x-real-ip': '192.0.2.1',
    'x-consumer-id': '0192f3a0-0000-7000-8000-000000000001',
    'x-consumer-permissions': 'READ,WRITE',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  return { ...headers, 'x-gateway-signature': gatewaySignature(GATEWAY_SECRET, { method, url: path, headers }) }
}

/** What an author sends for a new draft. */
export function draft(slug: string): string {
  const [title, description] = [`About ${slug}`, 'A text that somebody may want to read, in a few words']
  return JSON.stringify({ title, description, draftText: 'Lorem ipsum. '.repeat(160), slug, tags: ['NATS', 'NODE'] })
}
