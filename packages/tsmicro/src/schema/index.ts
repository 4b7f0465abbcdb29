export { closeSchema } from './close.ts'
export { compileCoercion, compileEmptyLists } from './coerce.ts'
export { compiled } from './compile.ts'
export { describeSchema } from './describe.ts'
export type { Interpreted } from './interpret.ts'
export { interpreted } from './interpret.ts'
export { isCleanText, writeInput, writeJson } from './json-form.ts'
export {
  compileNothing,
  EMPTY_LIST,
  fieldNames,
  fieldNodes,
  Kinds,
  mayHaveNumbers,
  readsNull,
  takesNull,
} from './kinds.ts'
export { findNotJson } from './not-json.ts'
export { BEYOND, findInexact, hasInexact, isBeyondNumbers, markInexact } from './numbers.ts'
export { type Check, type Checked, formatProblems, MAX_DETAILS } from './problems.ts'
export { mayHaveField, type Root, rootOf } from './references.ts'
export { type Infer, type InferInput, isNode, type JsonSchema, type Schema } from './schema.ts'
