import { type ArkContext, inputOf, libraryOptions, type ValibotContext, type ZodContext } from './describe.ts'
import { mistakeIn, shown } from './mistakes.ts'
import { pointerTo } from './problems.ts'
import { type Root, rootOf } from './references.ts'
import { isNode, isStandardSchema, type JsonSchema, type Schema } from './schema.ts'
import { mapSubschemas, SCHEMAS, TESTS } from './subschemas.ts'

const MARK = 'x-not-json'
/** Describes a schema as usual, and marks types that JSON cannot carry. */
const MARKING_OPTIONS = libraryOptions(markZod, markArk, markValibot)

/** JSON's types; TypeBox has more. */
const JSON_TYPES: readonly unknown[] = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']

const NO_VALUE = 'an optional field, or no schema at all'
/** What to declare instead of a type that JSON cannot carry. */
const ALTERNATIVES: Readonly<Record<string, string>> = {
  'z.date()': 'z.coerce.date(), or z.codec(z.iso.datetime(), z.date(), …)',
  'z.bigint()': 'z.coerce.bigint(), or a text',
  'z.map()': 'z.record(…)',
  'z.set()': 'z.array(…)',
  'z.nan()': 'z.number().nullable()',
  'z.symbol()': 'a text',
  'z.function()': 'nothing',
  'z.promise()': 'what it resolves to',
  'z.custom()': 'what it is in JSON, with .refine(…)',
  'z.file()': 'a text, or a raw route for uploads',
  'z.undefined()': NO_VALUE,
  'z.void()': NO_VALUE,
  'v.date()': 'v.pipe(v.string(), v.isoTimestamp(), v.toDate())',
  'v.bigint()': 'v.pipe(v.string(), v.digits(), v.toBigint())',
  'v.map()': 'v.record(…)',
  'v.set()': 'v.array(…)',
  'v.nan()': 'v.nullable(v.number())',
  'v.function()': 'nothing',
  'v.promise()': 'what it resolves to',
  'v.custom()': 'what it is in JSON, with v.check(…)',
  'v.undefined()': NO_VALUE,
  'v.void()': NO_VALUE,
  Date: '"string.date.iso.parse"',
  Map: "{ '[string]': … }",
  Set: 'an array',
  undefined: NO_VALUE,
  'of type undefined': 'Type.Optional(…) around a field, or no output',
  'of type void': 'no output',
}
/** As one of several alternatives, these mean that a field may be missing; as a whole, that there is no value. */
const NOTHING: readonly unknown[] = ['z.undefined()', 'z.void()', 'v.undefined()', 'v.void()', 'undefined']

/**
 * Names the first part of a schema that JSON cannot carry or that can never work, and what to declare instead; returns undefined if there
 * is no such part. A Standard Schema that cannot describe itself as JSON Schema is reported as a whole, because its fields are unknown.
 */
export function findNotJson(schema: Schema): string | undefined {
  if (!isSchema(schema))
    return 'it is not a schema: give one of TypeBox (Type.Object({ … })), zod (z.object({ … })), valibot or arktype'
  if (!isStandardSchema(schema)) return findIn(schema as JsonSchema, '', rootOf(schema as JsonSchema), false)
  const { vendor, jsonSchema } = schema['~standard']
  try {
    if (jsonSchema) {
      const described = inputOf(schema, MARKING_OPTIONS)
      return findIn(described, '', rootOf(described), true)
    }
    throw new Error(
      vendor === 'valibot'
        ? 'give toStandardJsonSchema(it), of @valibot/to-json-schema'
        : 'it has no ~standard.jsonSchema, as zod 4.2 has',
    )
  } catch (error) {
    return `${vendor} cannot tell what it is in JSON: ${(error as Error).message}`
  }
}

/** For plain JavaScript, and for `{ name: z.string() }`, which is an object of schemas and would accept anything. */
function isSchema(schema: unknown): boolean {
  // arktype's schemas are functions.
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return false
  if (isStandardSchema(schema) || '~kind' in schema) return true
  const keywords = isNode(schema) ? Object.keys(schema) : ['length']
  const known = keywords.some(
    each => SCHEMAS.includes(each) || /^(type|const|enum|properties|pattern\w*|\$\w+|title|description)$/.test(each),
  )
  return keywords.length === 0 || known
}

function markZod({ zodSchema, jsonSchema }: ZodContext): void {
  const { type, coerce, in: input, values = [] } = zodSchema._zod.def
  // The result of z.preprocess is never sent.
  if (type === 'pipe' && input?._zod.def.type === 'transform')
    for (const keyword of Object.keys(jsonSchema)) delete jsonSchema[keyword]
  if (`z.${type}()` in ALTERNATIVES && !coerce) jsonSchema[MARK] = `z.${type}()`
  const constants = [...(type === 'literal' ? values : [])]
  const wrong = constants.find(each => each === undefined || typeof each === 'bigint')
  if (constants.includes(wrong)) jsonSchema[MARK] = `z.literal(${shown(wrong)})`
}

function markValibot({
  valibotSchema: { type, literal },
  jsonSchema,
  errors,
}: ValibotContext): Record<string, unknown> {
  // A record's keys are texts, whatever valibot requires of them.
  if (!errors || type === 'record') return jsonSchema
  return { [MARK]: `v.${type}(${type === 'literal' ? shown(literal) : ''})` }
}

function markArk({ code, base, domain, proto, unit }: ArkContext): JsonSchema {
  const what = code === 'date' ? 'Date' : code === 'unit' ? shown(unit) : (proto?.name ?? domain)
  return Object.keys(base).length === 0 && typeof what === 'string' ? { [MARK]: what } : base
}

/** @param isStandard libraries take an inherited property for the field's value; TypeBox does so except for `constructor` */
function findIn(node: JsonSchema, path: string, root: Root, isStandard: boolean): string | undefined {
  const where = path || 'it'
  const unknown = [node.type ?? []].flat().find(type => !JSON_TYPES.includes(type))
  // A handler that returns nothing fits.
  if (path === '' && NOTHING.includes(node[MARK])) return undefined
  const what = node[MARK] ?? (unknown === undefined ? undefined : `of type ${unknown}`)
  if (typeof what === 'string') {
    const instead = ALTERNATIVES[what] ?? 'a text'
    return `${where} is ${what}, which JSON cannot carry: declare ${instead}`
  }
  if ('~codec' in node)
    return `${where} is a Codec, which is not decoded: declare what it is in JSON, or use a codec of zod`
  const inherited = inheritedName(node, isStandard)
  if (inherited !== undefined)
    return `${pointerTo(path, inherited)} has the name of a property that every object inherits: rename it`
  const mistake = mistakeIn(node, root, isStandard)
  if (mistake) return `${where} ${mistake}`
  let found: string | undefined
  mapSubschemas(node, (each, keyword, name) => {
    if (found || TESTS.includes(keyword)) return
    if ((keyword === 'anyOf' || keyword === 'oneOf') && NOTHING.includes(each[MARK])) return
    const step = keyword === 'properties' ? name : STEPS[keyword]
    found = findIn(each, step === undefined ? path : pointerTo(path, step), root, isStandard)
  })
  return found
}

/** The path of a member without a name. */
const STEPS: Readonly<Record<string, string>> = {
  items: 'items',
  prefixItems: 'items',
  patternProperties: 'values',
  additionalProperties: 'values',
}

function inheritedName({ properties, required }: JsonSchema, isStandard: boolean): string | undefined {
  if (!isNode(properties)) return undefined
  // Assigning to a field of this name sets the prototype, as happens in zod's descriptions.
  if (Object.getPrototypeOf(properties) !== Object.prototype) return '__proto__'
  const always: readonly unknown[] = Array.isArray(required) ? required : []
  return Object.keys(properties).find(
    name =>
      name === '__proto__' ||
      (name in Object.prototype && !always.includes(name) && (isStandard || name !== 'constructor')),
  )
}
