import { inspect } from 'node:util'
import type { Static, TObject, TProperties } from 'typebox'
import { Value } from 'typebox/value'
import { describeConfig } from './describe.ts'
import { expected } from './describe.ts'
import { nearNames } from './near-names.ts'
import { type EnvSchema, type Variable, variables } from './variable.ts'
import { readFileSync } from 'node:fs'
import type { Variable } from './variable.ts'
import type { TSchema } from 'typebox'
import { choices, keywords } from './variable.ts'

/** What `loadConfig` returns for a schema: `Config<typeof Env>`. */
export type Config<Schema extends TObject> = Readonly<Static<Schema>>

/**
 * Reads the environment by a TypeBox object schema: strings become numbers, booleans and lists, defaults are filled in,
 * and everything that is wrong is reported at once. An empty or blank variable counts as unset. Variables the schema does not
 * name are ignored; one that is named almost like a missing one is mentioned beside it. The result is frozen, and prints without
 * its secrets (console.log, inspect, JSON).
 *
 * @throws {ConfigError} with one line a problem; a secret's value is never part of it
 * @example
 * const Env = Type.Object({
 *   PORT: Type.Integer({ default: 3000, minimum: 0, maximum: 65535, description: 'HTTP port' }),
 *   DATABASE_URL: secret(Type.String({ description: 'PostgreSQL, postgres://user:password@host:port/name' })),
 * })
 * const config: Config<typeof Env> = loadConfig(Env)
 * config.PORT // number
 */
export function loadConfig<Properties extends TProperties>(
  schema: TObject<Properties>,
  env: Environment = process.env,
): Config<TObject<Properties>> {
  const problems: ConfigProblem[] = []
  const values: Record<string, unknown> = {}
  const all = variables(schema as EnvSchema)
  const known = all.map(({ name }) => name)
  for (const variable of all) {
    const result = resolve(variable, env, known)
    if ('problem' in result) problems.push({ variable: variable.name, message: result.problem })
    else if (result.value !== undefined) values[variable.name] = result.value
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return printable(schema, values) as Config<TObject<Properties>>
}

type Resolved = { readonly value: unknown } | { readonly problem: string }

function resolve(variable: Variable, env: Environment, known: readonly string[]): Resolved {
  const reading = read(variable, env)
  if ('problem' in reading) return reading
  if (reading.text === undefined) {
    if (variable.default !== undefined) return { value: structuredClone(variable.default) }
    if (!variable.required) return { value: undefined }
    return {
      problem: `is not set, expected ${expected(variable.schema)}${hint(variable)}${meant(variable, env, known)}`,
    }
  }
  const value = convert(variable.schema, reading.text)
  if (Value.Check(variable.schema, value)) return { value }
  const shown = variable.secret ? 'has a value (not shown) that does not fit' : `is ${JSON.stringify(reading.text)}`
  return { problem: `${shown}, expected ${expected(variable.schema)}${hint(variable)}` }
}

/** What is set instead. Only names: their values may be secrets. */
function meant(variable: Variable, env: Environment, known: readonly string[]): string {
  const file = `${variable.name}_FILE`
  if (env[file] && !variable.secret) return `; ${file} is set, but only secrets are read from files`
  const near = nearNames(variable, env, known).map(name => (/^[\w-]+$/.test(name) ? name : JSON.stringify(name)))
  return near.length === 0 ? '' : `; ${near.join(' and ')} ${near.length === 1 ? 'is' : 'are'} set: did you mean that?`
}

function hint({ description }: Variable): string {
  return description === undefined ? '' : ` (${description})`
}

/** Secrets are readable by name and absent from every way of printing the whole. */
function printable(schema: TObject, values: Record<string, unknown>): object {
  const config = {}
  const redacted = () => describeConfig(schema, config)
  for (const { name, secret } of variables(schema as EnvSchema)) {
    // not enumerable: a spread, Object.entries or a logger's walk over the config does not meet the secret either
    if (name in values) Object.defineProperty(config, name, { value: deepFreeze(values[name]), enumerable: !secret })
  }
  Object.defineProperty(config, 'toJSON', { value: redacted })
  Object.defineProperty(config, inspect.custom, { value: redacted })
  return Object.freeze(config)
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}

/** Variables by name, like `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The text of a variable, from the environment or, for a secret, from the file that `<NAME>_FILE` names. */
export type Reading = { readonly text: string | undefined } | { readonly problem: string }

/** An empty or blank variable counts as unset: `PORT=` in a compose file or a CI setting means "nothing given". */
export function read({ name, secret }: Variable, env: Environment): Reading {
  const text = given(env[name])
  const file = secret ? given(env[`${name}_FILE`]) : undefined
  if (file === undefined) return { text }
  if (text !== undefined) return { problem: `and ${name}_FILE are both set, set one` }
  try {
    // editors and `echo` end a file with a line break that is no part of the secret
    return { text: given(readFileSync(file, 'utf8').replace(/\r?\n$/, '')) }
  } catch (error) {
    return { problem: `cannot be read from the file in ${name}_FILE (${file}): ${reason(error)}` }
  }
}

const given = (text: string | undefined) => (text?.trim() ? text : undefined)

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
}

const numberText = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i
const booleans = new Map<string, boolean>([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
  ['yes', true],
  ['no', false],
  ['on', true],
  ['off', false],
])

/**
 * Turns the text of a variable into what its schema wants; text that cannot be turned stays as it is, so that the schema's
 * own check refuses it. Strict on purpose: `Number('')` is 0 and `parseInt('8080abc')` is 8080, a typing error is neither.
 */
export function convert(schema: TSchema, text: string): unknown {
  const values = choices(schema)
  if (values !== undefined) return values.find(value => String(value) === text) ?? text
  const { type, items, anyOf } = keywords(schema)
  if (type === 'integer' || type === 'number') return numberText.test(text.trim()) ? Number(text) : text
  if (type === 'boolean') return booleans.get(text.trim().toLowerCase()) ?? text
  if (type === 'array' && items !== undefined) return list(text).map(part => convert(items, part))
  if (anyOf !== undefined) return anyOf.map(one => convert(one, text)).find(value => typeof value !== 'string') ?? text
  return text
}

function list(text: string): string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
}

/** One thing that is wrong with one variable. Never contains the value of a secret. */
export interface ConfigProblem {
  readonly variable: string
  /** What is wrong, e.g. `is "eight", expected an integer from 1 to 65535`. */
  readonly message: string
}

/**
 * Everything that is wrong with the environment, at once: one line a variable.
 *
 * @example
 * try {
 *   loadConfig(Type.Object({ PORT: Type.Integer(), NAME: Type.String() }), { PORT: 'eight' })
 * } catch (error) {
 *   if (!(error instanceof ConfigError)) throw error
 *   error.problems.map(({ variable }) => variable).join() // 'PORT,NAME'
 * }
 */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable} ${message}`)
    super(`the environment does not fit:\n${lines.join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}
