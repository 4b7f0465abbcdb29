import type { FastifyInstance } from 'fastify'
import { MALFORMED_REQUEST } from '../errors/index.ts'
import { isCleanText } from '../schema/index.ts'

/** Accepts JSON bodies only. `__proto__` and `constructor.prototype` are refused; so are NUL and lone surrogates. */
export function acceptJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  const parse = server.getDefaultJsonParser('error', 'error')
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // An empty body under a JSON content type is what many clients send with PUT or DELETE: it is no body.
    if (body === '') return done(null, undefined)
    parse(request, body as string, (error, value) => {
      if (error) return done(error)
      // Both can only stand in JSON text as an escape, so the walk is paid for by the few bodies that have one.
      if ((body as string).includes('\\u') && !isCleanText(value)) return done(new MALFORMED_REQUEST())
      done(null, value)
    })
  })
}
