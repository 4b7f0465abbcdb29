import type { Doc } from '../bson/document.ts'
import { fail } from '../errors.ts'

/** The values of variables, by name without `$$`. */
export type Variables = Readonly<Record<string, unknown>>

/** A compiled expression. It returns `undefined` for a missing value. `locals`: what `$let`, `$map` and the like have bound. */
export type Expression = (doc: Doc, locals: Variables) => unknown

/** What an expression may refer to, where it stands. */
export interface Scope {
  /** The variables whose values are known before any document: those of the command's `let` and `NOW`. */
  readonly variables: Variables
  /** Whether fields cannot be referred to, as there is no document yet. */
  readonly isConstant: boolean
  /** The names that are bound while the expression is evaluated. */
  readonly locals: ReadonlySet<string>
  /** The relevance of the documents that a `$text` search found. */
  readonly scores: WeakMap<Doc, number> | undefined
  /** Compiles an expression inside this one. */
  readonly compile: (value: unknown, scope: Scope) => Expression
}

/** Compiles `{ $name: argument }`. */
export type Operator = (argument: unknown, scope: Scope, name: string) => Expression

export const withLocals = (scope: Scope, names: readonly string[]): Scope => ({
  ...scope,
  locals: new Set([...scope.locals, ...names]),
})

export const isNullish = (value: unknown): value is null | undefined => value === null || value === undefined

/** System variables of MongoDB that this server does not have. */
const absent = new Set(['DESCEND', 'PRUNE', 'KEEP', 'JS_SCOPE', 'IS_MR', 'SEARCH_META', 'USER_ROLES'])

/** @throws CommandError for a name that no variable can have, or that this server does not offer */
export function assertReadable(name: string): void {
  if (name === '') fail('empty variable names are not allowed', 'Location16869')
  if (!/^[A-Za-z\u0080-\u{10ffff}]/u.test(name))
    fail(`'${name}' starts with an invalid character for a variable name`, 'Location16870')
  assertCharacters(name, 'Location16871')
  if (name === 'CLUSTER_TIME') fail("Builtin variable '$$CLUSTER_TIME' is not available", 'Location51144')
  if (absent.has(name)) fail(`the variable '$$${name}' is not supported by this server`, 'CommandNotSupported')
}

/** @throws CommandError for a name that a client cannot give to a variable */
export function assertWritable(name: string): void {
  if (name === 'CURRENT') fail('setting $$CURRENT is not supported by this server', 'CommandNotSupported')
  if (name === '') fail('empty variable names are not allowed', 'Location16866')
  if (!/^[a-z\u0080-\u{10ffff}]/u.test(name))
    fail(`'${name}' starts with an invalid character for a user variable name`, 'Location16867')
  assertCharacters(name, 'Location16868')
}

function assertCharacters(name: string, code: 'Location16868' | 'Location16871'): void {
  const invalid = /[^\w\u0080-\u{10ffff}]/u.exec(name)
  if (invalid) fail(`'${name}' contains an invalid character for a variable name: '${invalid[0]}'`, code)
}
