/** What the documents show as examples matches what they say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { documents, type Operation, type Schema } from './documents.ts'

interface Media {
  readonly schema?: Schema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

const all = Object.entries(await documents())

/** Why a value does not match a schema of a document; undefined if it does. */
function compile(document: object) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'document', ...document })
  const absolute = (schema: unknown) => JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/'))
  return (schema: unknown, value: unknown) => (ajv.validate(absolute(schema), value) ? undefined : ajv.errorsText())
}

const operationsOf = (document: { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }) =>
  Object.values(document.paths).flatMap(methods => Object.entries(methods).filter(([method]) => method !== 'head'))

test('every JSON body, every parameter and every declared error has an example, which matches its schema', () => {
  for (const [service, document] of all) {
    const fault = compile(document)
    for (const [, { operationId, parameters, requestBody, responses }] of operationsOf(document)) {
      const sent = Object.values(requestBody?.content ?? {}) as Media[]
      const received = Object.entries(responses).flatMap(([status, { content = {} }]) => {
        const media = content['application/json'] as Media | undefined
        return media && Number(status) < 300 ? [media] : []
      })
      const json = [...(requestBody?.content['application/json'] ? sent : []), ...received]
      for (const { schema, example } of json) {
        assert.notEqual(example, undefined, `${service} ${operationId} has a body without an example`)
        assert.equal(fault(schema, example), undefined, `${operationId}: ${JSON.stringify(example)}`)
      }
      for (const parameter of parameters as (Media & { readonly in: string; readonly name: string })[]) {
        if (parameter.in === 'header') continue
        assert.notEqual(parameter.example, undefined, `${operationId}: ${parameter.name} has no example`)
        assert.equal(fault(parameter.schema, parameter.example), undefined, `${operationId}: ${parameter.name}`)
      }
    }
  }
})

test('each error that a procedure declares is shown as the service answers it', () => {
  const { blog } = Object.fromEntries(all)
  const [, operation] = operationsOf(blog as never).find(([, each]) => each.operationId === 'blog.findBySlug') ?? []
  const media = operation?.responses['404']?.content?.['application/json'] as Media
  assert.deepEqual(media.examples?.BLOG_NOT_FOUND?.value, {
    code: '10001',
    status: 404,
    message: 'There is no such blog',
    error: 'BLOG_NOT_FOUND',
    requestId: '7c1e5f0a-3b1d-4c57-9a51-0d5a3c1f6e42',
  })
  for (const [, document] of all) {
    const fault = compile(document)
    for (const [, { operationId, responses }] of operationsOf(document))
      for (const { content = {} } of Object.values(responses))
        for (const { schema, examples = {} } of Object.values(content) as Media[])
          for (const { value } of Object.values(examples)) assert.equal(fault(schema, value), undefined, operationId)
  }
})
