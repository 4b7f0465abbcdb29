/** What the services' OpenAPI says, as programs in any language read it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Document, documents, type Operation, type Schema } from './documents.ts'

const all = Object.entries(await documents())

function* operationsOf({ paths }: Document): Iterable<Operation & { readonly method: string }> {
  for (const methods of Object.values(paths))
    for (const [method, operation] of Object.entries(methods)) yield { ...operation, method }
}

/** Every schema in a value, at any depth. */
function* schemasIn(value: unknown): Iterable<Schema> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as Schema
  for (const member of Object.values(value)) yield* schemasIn(member)
}

const requestsOf = ({ parameters, requestBody }: Operation) => [parameters, requestBody]

test('every pattern means the same with and without the flag u, and to engines without classes such as \\p and \\s', () => {
  for (const [name, document] of all) {
    const patterns = [...schemasIn(document)].flatMap(({ pattern }) => (typeof pattern === 'string' ? pattern : []))
    assert.ok(patterns.length > 0, name)
    for (const pattern of new Set(patterns)) {
      assert.doesNotMatch(pattern, /\\[^u/.\\()[\]{}+*?|^$-]|\(\?[^:]/, name)
      const [plain, unicode] = [new RegExp(pattern), new RegExp(pattern, 'u')]
      for (const text of [
        '',
        'a',
        'Ada Byron',
        '😀',
        'A😀b',
        ' a',
        'a\u0085',
        'a\u2028b',
        '\ufeffab',
        'A-1',
        'ab'.repeat(12),
      ])
        assert.equal(plain.test(text), unicode.test(text), `${pattern} on ${JSON.stringify(text)}`)
    }
  }
})

test('no text of a request may contain NUL or a lone surrogate; other characters beyond ASCII are allowed', () => {
  let checked = 0
  for (const [name, document] of all)
    for (const operation of operationsOf(document))
      for (const schema of schemasIn(requestsOf(operation))) {
        const { type, pattern, allOf = [], format, in: isParameter } = schema
        if (type !== 'string' || isParameter || schema.enum || schema.const !== undefined || format === 'binary')
          continue
        const patterns = [pattern, ...(allOf as readonly Schema[]).map(each => each.pattern)].filter(
          Boolean,
        ) as string[]
        for (const flags of ['', 'u']) {
          const takes = (text: string) => patterns.every(each => new RegExp(each, flags).test(text))
          for (const refused of ['\0', 'ab\0', '\ud800', 'ab\udfff', '\udc00\ud800', 'https://a\ud800'])
            assert.equal(
              takes(refused),
              false,
              `${name} ${operation.operationId} ${patterns} ${JSON.stringify(refused)}`,
            )
          // Whatever has no pattern of its own takes any other text.
          if (pattern?.toString().includes('ud800')) assert.ok(takes('') && takes('Zoë 😀\n\u{10ffff}'), flags)
        }
        checked += 1
      }
  assert.ok(checked > 50, `${checked} texts`)
})

test('an operation behind the gateway says what the gateway may answer instead', () => {
  for (const [, document] of all)
    for (const { operationId, security, responses, method, requestBody } of operationsOf(document)) {
      const statuses = Object.keys(responses)
      const expected = ['400', '404', '429', '502', '503', '504']
      const withKey = security.length > 0 ? ['401', '403'] : []
      for (const status of [...expected, ...withKey, ...(requestBody ? ['413', '415'] : [])])
        assert.ok(statuses.includes(status), `${operationId}: ${status}`)
      for (const status of withKey) assert.match(responses[status]?.description ?? '', /`API_KEY_/, operationId)
      if (method === 'head') continue
      const types = Object.keys(responses['502']?.content ?? {})
      assert.deepEqual(types, ['application/json', 'text/plain'], operationId)
      const limited = JSON.stringify(responses['429']?.content)
      assert.ok(limited.includes('#/components/schemas/GatewayFailure'), operationId)
    }
})

test('a GET has a HEAD: the same answers without a body', () => {
  for (const [, document] of all)
    for (const [path, { get, head }] of Object.entries(document.paths)) {
      assert.equal(get === undefined, head === undefined, path)
      if (!get || !head) continue
      assert.deepEqual(Object.keys(head.responses), Object.keys(get.responses), path)
      for (const response of Object.values(head.responses)) assert.equal(response.content, undefined, path)
    }
})

test('each document names its licence', () => {
  for (const [, { info }] of all) assert.deepEqual(info.license, { name: 'MIT', identifier: 'MIT' })
})
