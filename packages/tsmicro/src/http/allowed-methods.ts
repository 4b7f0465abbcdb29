import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import createRouter, { type HTTPMethod } from 'find-my-way'
import { METHOD_NOT_ALLOWED } from '../errors/index.ts'
import { isForwarded } from './gateway.ts'

/** The same for Fastify's router and ours. */
export const ROUTER_OPTIONS = { maxParamLength: 500 } as const

/**
 * Answers requests for a known path with an unknown method: OPTIONS with 204, others with 405, both with `allow` (RFC 9110, 15.5.6).
 * Fastify's router reports only that there is no such route. Returns a function that finds the methods of a path.
 */
export function watchMethods(server: FastifyInstance): (request: FastifyRequest) => string | undefined {
  // A router of its own, since Fastify's cannot be asked for a path.
  const router = createRouter({ ...ROUTER_OPTIONS })
  const methods = new Set<HTTPMethod>()
  server.addHook('onRoute', ({ method, url, config }) => {
    for (const each of [method].flat() as HTTPMethod[]) {
      // CORS plugins add it for every path, so it says nothing about this one.
      if (each === 'OPTIONS' && /^\/?\*$/.test(url)) continue
      methods.add(each)
      const internal = config?.gateway === 'internal'
      try {
        if (!router.hasRoute(each, url)) router.on(each, url, () => {}, { internal })
      } catch {
        // Fastify's own router will refuse it and say why.
      }
    }
  })
  return ({ url, headers }) => {
    const found = [...methods].filter(method => {
      const route = router.find(method, url)
      // An internal procedure that would be answered 404 must not be revealed here.
      return route && !(route.store.internal && isForwarded(headers))
    })
    return found.length === 0 ? undefined : [...new Set([...found, 'OPTIONS'])].join(', ')
  }
}

/** Answers OPTIONS; for any other method returns the error to answer with. */
export function answerMethod(request: FastifyRequest, reply: FastifyReply, allow: string): Error | undefined {
  reply.header('allow', allow)
  if (request.method !== 'OPTIONS') return new METHOD_NOT_ALLOWED()
  void reply.code(204).send()
  return undefined
}
