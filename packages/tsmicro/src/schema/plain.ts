import { memberOf } from './member.ts'
import { branchesOf, itemsOf, rootOf } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'

type Test = (value: unknown) => boolean

/**
 * Prepares the question whether a value that matches a schema is written as it was checked: its objects are plain ones, without
 * a prototype's getters and `toJSON`. Only what the schema describes is looked at. `undefined` when nothing is an object.
 */
export function compilePlain(schema: JsonSchema): Test | undefined {
  const root = rootOf(schema)
  const known = new Map<JsonSchema, Test | undefined>()
  const build = (given: unknown): Test | undefined => {
    const node = root.resolve(given)
    if (known.has(node)) return known.get(node)
    // A schema may contain itself: whoever asks for it while it is built gets a reference to what it will be.
    let made: Test | undefined
    known.set(node, value => made?.(value) ?? true)
    made = testOf(node, build)
    known.set(node, made)
    return made
  }
  return build(schema)
}

function testOf(node: JsonSchema, build: (node: unknown) => Test | undefined): Test | undefined {
  const allOf = Array.isArray(node.allOf) ? node.allOf : []
  const tests = [...[...allOf, ...branchesOf(node)].map(build), objectTest(node, build), listTest(node, build)].filter(
    test => test !== undefined,
  )
  return tests.length > 1 ? value => tests.every(test => test(value)) : tests[0]
}

function objectTest(node: JsonSchema, build: (node: unknown) => Test | undefined): Test | undefined {
  const { properties, patternProperties, additionalProperties } = node
  if (![properties, patternProperties, additionalProperties].some(isNode)) return undefined
  const members = entriesOf(properties).flatMap(([name, member]) => {
    const test = build(member)
    return test ? [[name, test] as const] : []
  })
  const unnamed = [...entriesOf(patternProperties).map(([, member]) => member), additionalProperties]
    .filter(isNode)
    .map(build)
    .filter(test => test !== undefined)
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return true
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return false
    for (const [name, test] of members) if (!test(memberOf(value, name))) return false
    return unnamed.every(test => Object.values(value).every(test))
  }
}

function listTest(node: JsonSchema, build: (node: unknown) => Test | undefined): Test | undefined {
  const { first, rest } = itemsOf(node)
  const tests = [...first, rest]
    .filter(isNode)
    .map(build)
    .filter(test => test !== undefined)
  if (tests.length === 0) return undefined
  const [only] = tests
  if (tests.length === 1 && only) return value => !Array.isArray(value) || value.every(only)
  return value => !Array.isArray(value) || value.every(item => tests.every(test => test(item)))
}

function entriesOf(members: unknown): readonly (readonly [string, unknown])[] {
  return isNode(members) ? Object.entries(members) : []
}
