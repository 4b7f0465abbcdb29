import type { FastifyInstance } from 'fastify'
import { MALFORMED_REQUEST, UNSUPPORTED_MEDIA_TYPE, VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import { unseenIn } from '../schema/index.ts'
import { exchangeOf } from './exchange.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A body of this route cannot contain a number. */
    withoutNumbers?: boolean
  }
}

/** Fastify's own decoding replaces invalid UTF-8 with U+FFFD, so we would store something other than what was sent. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Accepts only JSON bodies. Finds NUL and lone surrogates, `__proto__` and `constructor.prototype`, and numbers that would be rounded. What is
 * wrong with a procedure's body is reported together with the other problems of its input.
 */
export function acceptJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const coding = request.headers['content-encoding']
    if (coding !== undefined && coding.toLowerCase() !== 'identity') return done(new UNSUPPORTED_MEDIA_TYPE())
    const body = textOf(bytes as Buffer)
    if (body === undefined) return done(new MALFORMED_REQUEST())
    // Many clients send a JSON content type and an empty body with PUT or DELETE: that means no body.
    if (body === '') return done(null, undefined)
    let value: unknown
    try {
      value = JSON.parse(body)
    } catch (cause) {
      return done(new MALFORMED_REQUEST(undefined, { cause }))
    }
    const exchange = exchangeOf(request)
    const { procedure, withoutNumbers } = exchange.config
    const problems = unseenIn(body, !withoutNumbers)?.(value)
    if (problems && !procedure) return done(new VALIDATION_FAILED(problems.map(inBody)))
    exchange.unseen = problems
    done(null, value)
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
