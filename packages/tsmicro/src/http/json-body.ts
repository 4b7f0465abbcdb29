import type { FastifyInstance } from 'fastify'
import { MALFORMED_REQUEST, UNSUPPORTED_MEDIA_TYPE, VALIDATION_FAILED } from '../errors/index.ts'
import { isCleanText, tellInexact } from '../schema/index.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** There can be no number in a body of this route. */
    withoutNumbers?: boolean
  }
}

/** Fastify's own decoding puts U+FFFD in place of what is no UTF-8: what is stored would not be what was sent. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Accepts JSON bodies only. `__proto__` and `constructor.prototype` are refused; so are NUL, lone surrogates and numbers that would be rounded. */
export function acceptJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  const parse = server.getDefaultJsonParser('error', 'error')
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const coding = request.headers['content-encoding']
    if (coding !== undefined && coding.toLowerCase() !== 'identity') return done(new UNSUPPORTED_MEDIA_TYPE())
    const body = textOf(bytes as Buffer)
    if (body === undefined) return done(new MALFORMED_REQUEST())
    // An empty body under a JSON content type is what many clients send with PUT or DELETE: it is no body.
    if (body === '') return done(null, undefined)
    parse(request, body, (error, value) => {
      if (error) return done(error)
      // Both can only stand in JSON text as an escape, so the walk is paid for by the few bodies that have one.
      if (body.includes('\\u') && !isCleanText(value)) return done(new MALFORMED_REQUEST())
      const inexact = request.routeOptions.config.withoutNumbers
        ? undefined
        : tellInexact(body, request.routeOptions.config.procedure ? '' : 'body')
      done(inexact ? new VALIDATION_FAILED([inexact]) : null, value)
    })
  })
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
