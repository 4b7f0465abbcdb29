import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import type { Static, TObject, TProperties, TSchema } from 'typebox'
import { Check as matches } from 'typebox/schema'
import { describeConfig, expected } from './describe.ts'
import { nearNames } from './near-names.ts'
import { choices, type Environment, type EnvSchema, keywords, type Variable, variables } from './variable.ts'

/** What `loadConfig` returns for a schema: `Config<typeof Env>`. */
export type Config<Schema extends TObject> = Readonly<Static<Schema>>

/**
 * Reads the environment by a TypeBox object schema: strings become numbers, booleans and lists, defaults are filled in, and all
 * problems are reported at once. An empty or blank variable counts as unset. Variables that the schema does not name are
 * ignored; if one is named almost like a missing one, the error mentions it. The result is frozen, and is printed without its
 * secrets (console.log, inspect, JSON).
 *
 * @throws {ConfigError} with one line per problem; it never contains a secret's value
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
  if (matches(variable.schema, value)) return { value }
  const shown = variable.secret ? 'has a value (not shown) that does not fit' : `is ${JSON.stringify(reading.text)}`
  return { problem: `${shown}, expected ${expected(variable.schema)}${hint(variable)}` }
}

/** What is set instead. Names only: their values may be secrets. */
function meant(variable: Variable, env: Environment, known: readonly string[]): string {
  const file = `${variable.name}_FILE`
  if (env[file] && !variable.secret) return `; ${file} is set, but only secrets are read from files`
  const near = nearNames(variable, env, known).map(name => (/^[\w-]+$/.test(name) ? name : JSON.stringify(name)))
  return near.length === 0 ? '' : `; ${near.join(' and ')} ${near.length === 1 ? 'is' : 'are'} set: did you mean that?`
}

function hint({ description }: Variable): string {
  return description === undefined ? '' : ` (${description})`
}

/** Secrets can be read by name, and are absent however the whole is printed. */
function printable(schema: TObject, values: Record<string, unknown>): object {
  const config = {}
  const redacted = () => describeConfig(schema, config)
  for (const { name, secret } of variables(schema as EnvSchema)) {
    // Not enumerable: neither a spread, nor Object.entries, nor a logger that walks the config finds the secret.
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

type Reading = { readonly text: string | undefined } | { readonly problem: string }

/**
 * The text of a variable, from the environment or, for a secret, from the file that `<NAME>_FILE` names. An empty or blank
 * variable counts as unset: `PORT=` in a compose file or a CI setting means "no value".
 */
function read({ name, secret }: Variable, env: Environment): Reading {
  const text = given(env[name])
  const file = secret ? given(env[`${name}_FILE`]) : undefined
  if (file === undefined) return { text }
  if (text !== undefined) return { problem: `and ${name}_FILE are both set, set one` }
  try {
    // Editors and `echo` end a file with a line break that is not part of the secret.
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
 * Converts the text of a variable to the type of its schema. Text that cannot be converted stays as it is, so that the schema's
 * own check refuses it. Strict on purpose: `Number('')` is 0 and `parseInt('8080abc')` is 8080, but both texts are mistakes.
 */
function convert(schema: TSchema, text: string): unknown {
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

/** A problem with one variable. Never contains the value of a secret. */
interface ConfigProblem {
  readonly variable: string
  /** What is wrong, e.g. `is "eight", expected an integer from 1 to 65535`. */
  readonly message: string
}

/**
 * All problems of the environment, one line per variable.
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
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable} ${message}`)
    super(`the environment does not fit:\n${lines.join('\n')}`)
    this.problems = problems
  }
}
