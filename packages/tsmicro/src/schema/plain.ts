import { memberOf } from './member.ts'
import { branchesOf, itemsOf, rootOf } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'

type Test = (value: unknown) => boolean

/**
 * Prepares the question whether a value that matches a schema is written as it was checked: its objects and lists are plain ones, without
 * a prototype's getters, `toJSON` and holes. Only what the schema describes is looked at. `undefined` when nothing is an object or a list.
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
    if ((prototype !== Object.prototype && prototype !== null) || hasOwnForm(value)) return false
    for (const [name, test] of members) if (!test(memberOf(value, name))) return false
    return unnamed.every(test => Object.values(value).every(test))
  }
}

function listTest(node: JsonSchema, build: (node: unknown) => Test | undefined): Test | undefined {
  const { first, rest } = itemsOf(node)
  const types: readonly unknown[] = [node.type].flat()
  if (!types.includes('array') && first.length === 0 && !isNode(rest)) return undefined
  const tests = [...first, rest]
    .filter(isNode)
    .map(build)
    .filter(test => test !== undefined)
  return value => {
    if (!Array.isArray(value)) return true
    if (Object.getPrototypeOf(value) !== Array.prototype || hasOwnForm(value) || hasHoles(value)) return false
    return tests.every(test => value.every(test))
  }
}

/** What it would be written as instead. */
function hasOwnForm(value: object): boolean {
  return Object.hasOwn(value, 'toJSON') && typeof (value as { readonly toJSON: unknown }).toJSON === 'function'
}

/** JSON has null where a list has nothing, and a check passes over it. */
function hasHoles(list: readonly unknown[]): boolean {
  for (let index = 0; index < list.length; index++) if (!(index in list)) return true
  return false
}

function entriesOf(members: unknown): readonly (readonly [string, unknown])[] {
  return isNode(members) ? Object.entries(members) : []
}
