import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import createRouter, { type HTTPMethod } from 'find-my-way'
import { METHOD_NOT_ALLOWED } from '../errors/index.ts'
import { isForwarded } from './forwarded.ts'

const LONGEST_PARAM = 500

/** As Fastify's own router has it. */
export const ROUTER_OPTIONS = { maxParamLength: LONGEST_PARAM } as const

/**
 * Answers a path that is there with a method that it has not: OPTIONS with 204, any other with 405, both with `allow`
 * (RFC 9110, 15.5.6). Fastify's router tells only that there is no such route. Returns what finds out.
 */
export function watchMethods(server: FastifyInstance): (request: FastifyRequest) => string | undefined {
  // A tree of its own: Fastify's cannot be asked for a path.
  const router = createRouter({ ...ROUTER_OPTIONS })
  const methods = new Set<HTTPMethod>()
  server.addHook('onRoute', ({ method, url, config }) => {
    for (const each of [method].flat() as HTTPMethod[]) {
      // For every path, as CORS plugins have it: it says nothing of this one.
      if (each === 'OPTIONS' && /^\/?\*$/.test(url)) continue
      methods.add(each)
      const internal = config?.gateway === 'internal'
      try {
        if (!router.hasRoute(each, url)) router.on(each, url, () => {}, { internal })
      } catch {
        // Fastify's own router refuses it next, and says so.
      }
    }
  })
  return ({ url, headers }) => {
    const found = [...methods].filter(method => {
      const route = router.find(method, url)
      // Where an internal procedure would be answered 404, nothing tells that it is there.
      return route && !(route.store.internal && isForwarded(headers))
    })
    return found.length === 0 ? undefined : [...new Set([...found, 'OPTIONS'])].join(', ')
  }
}

/** Sends what there is to say about a method that the path has not. */
export function answerMethod(request: FastifyRequest, reply: FastifyReply, allow: string): Error | undefined {
  reply.header('allow', allow)
  if (request.method !== 'OPTIONS') return new METHOD_NOT_ALLOWED()
  void reply.code(204).send()
  return undefined
}
