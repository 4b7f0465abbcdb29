import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { openDoor } from './door.ts'
import { ask, HTTP_REQUESTS, type HttpExchange } from './http-probes.ts'

const { exchanges } = JSON.parse(readFileSync(new URL('recorded/http.json', import.meta.url), 'utf8')) as {
  readonly exchanges: readonly HttpExchange[]
}
const opened = await openDoor()
after(() => opened.service.stop())

test('every recorded request is still sent', () => {
  assert.deepEqual(
    HTTP_REQUESTS,
    exchanges.map(({ request }) => request),
  )
})

/** Also changed on purpose: how some mistakes are described to the client. */
const RETOLD: Readonly<Record<string, object>> = {
  'POST /make HTTP/1.1 ': { path: '', message: 'must have required properties title' },
  'PUT /one/5 HTTP/1.1 {"title":"a","notify":true}': { path: 'notify', message: 'belongs in the query alone' },
  'GET /list?page=1e3&exact=1 HTTP/1.1 ': { path: 'exact', message: 'must be boolean' },
  'GET /list?tag=%00 HTTP/1.1 ': { path: 'tag/0', message: 'contains characters that are not text' },
  'POST /make HTTP/1.1 {"title":"ab","count":9007199254740993}': {
    path: 'count',
    message: 'is beyond what a number can hold; send it as text where the schema has a text',
  },
  'POST /make HTTP/1.1 {"__proto__":{},"title":"ab"}': { path: '', message: 'unknown field "__proto__"' },
  'POST /make HTTP/1.1 {"title":"\\ud800b"}': { path: 'title', message: 'contains characters that are not text' },
}

const INVALID = { error: 'VALIDATION_FAILED', message: 'The request does not match the schema' }

/** Fields that a library's schema does not name used to be dropped silently; now they are refused like all unknown fields. */
const REFUSED = 'GET /since?more=1 HTTP/1.1'

for (const recorded of exchanges) {
  const [line, rest = ''] = recorded.request.split('\r\n', 1).concat(recorded.request.split('\r\n\r\n')[1] ?? '')
  test(`HTTP: answered as before: ${line} ${rest.slice(0, 60)}`, async () => {
    const answer = await ask(opened.service.url, recorded.request)
    if (line === REFUSED) return assert.equal(answer.status, 400)
    const retold = RETOLD[`${line} ${rest}`]
    const wanted = retold
      ? { ...recorded, body: JSON.stringify({ ...JSON.parse(recorded.body), ...INVALID, details: [retold] }) }
      : recorded
    assert.deepEqual(comparable(answer), comparable(wanted))
  })
}

/**
 * An answer without what differs between runs (times, milliseconds), and without what was changed on purpose: a detail's path names
 * the field of the input, `title`, and no longer its origin, `body/title`. Details may come in any order.
 */
function comparable({ status, headers, body }: HttpExchange): object {
  const { 'content-length': _, ...others } = headers
  return {
    status,
    headers: { ...others, ...(headers.allow ? { allow: headers.allow.split(', ').sort() } : {}) },
    body: bodyOf(body),
  }
}

function bodyOf(body: string): unknown {
  if (body === '') return body
  const value = JSON.parse(body.replace(/"(timestamp":)"[^"]*"|"(ms":)\d+/g, '"$1$20'))
  if (!Array.isArray(value.details)) return value
  const told = value.details.map(({ path, message }: { path: string; message: string }) =>
    JSON.stringify({ path: path.replace(/^(params|query|body|data)(\/|$)/, ''), message }),
  )
  return { ...value, details: told.sort() }
}
