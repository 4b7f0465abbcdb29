import { createRequire } from 'node:module'
import type { FastifyInstance } from 'fastify'

type Build = (...given: unknown[]) => never

/** From where Fastify would load it, so that it is the version that belongs to it. */
function load(name: string): Build {
  const fromHere = createRequire(import.meta.url)
  return createRequire(fromHere.resolve('fastify'))(name)()
}

/**
 * Fastify's own compilers of JSON Schemas, loaded for the first route that declares one. Procedures have their checks from their
 * contracts, so most services never need them: 120 files, and a fifth of a minimal service's text.
 */
export function compilersWhenNeeded(): { readonly buildValidator: Build; readonly buildSerializer: Build } {
  let validators: Build | undefined
  let serializers: Build | undefined
  return {
    buildValidator(...given) {
      validators ??= load('@fastify/ajv-compiler')
      return validators(...given)
    },
    buildSerializer(...given) {
      serializers ??= load('@fastify/fast-json-stringify-compiler')
      return serializers(...given)
    },
  }
}

/**
 * Fastify writes the names of header fields in schemas in lower case, as Node has them, only for what it knows as its own compiler.
 * @throws {TypeError} if this version of Fastify keeps that elsewhere: checks of headers that never apply would let everything pass
 */
export function markAsFastifysOwn(server: FastifyInstance): void {
  const key = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'fastify.schemaController')
  const controller = key && (server as unknown as Record<symbol, { isCustomValidatorCompiler?: boolean }>)[key]
  if (controller?.isCustomValidatorCompiler !== true) throw new TypeError('this version of Fastify is not supported')
  controller.isCustomValidatorCompiler = false
}
