import type { FastifyInstance, FastifyRequest } from 'fastify'
import { MALFORMED_REQUEST, UNSUPPORTED_MEDIA_TYPE, VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import { type Problems, unseenIn } from '../schema/index.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A body of this route cannot contain a number. */
    withoutNumbers?: boolean
  }
}

/** Fastify's own decoding replaces invalid UTF-8 with U+FFFD, so we would store something other than what was sent. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

const unseen = new WeakMap<FastifyRequest, Problems>()

/** What is wrong with a procedure's body beside what its schema says. Reported together with the other problems of the input. */
export function unseenInBody(request: FastifyRequest): Problems | undefined {
  return unseen.get(request)
}

/**
 * Accepts only JSON bodies. Finds NUL and lone surrogates, `__proto__` and `constructor.prototype`, and numbers that would be rounded.
 */
export function acceptJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  const parse = server.getDefaultJsonParser('ignore', 'ignore')
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const coding = request.headers['content-encoding']
    if (coding !== undefined && coding.toLowerCase() !== 'identity') return done(new UNSUPPORTED_MEDIA_TYPE())
    const body = textOf(bytes as Buffer)
    if (body === undefined) return done(new MALFORMED_REQUEST())
    // Many clients send a JSON content type and an empty body with PUT or DELETE: that means no body.
    if (body === '') return done(null, undefined)
    parse(request, body, (error, value) => {
      if (error) return done(error)
      const { procedure, withoutNumbers } = request.routeOptions.config
      const problems = unseenIn(body, !withoutNumbers)?.(value)
      if (!problems) return done(null, value)
      if (!procedure) return done(new VALIDATION_FAILED(problems.map(inBody)))
      unseen.set(request, problems)
      done(null, value)
    })
  })
}

function inBody({ path, message }: ValidationDetail): ValidationDetail {
  return { path: path === '' ? 'body' : `body/${path}`, message }
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
