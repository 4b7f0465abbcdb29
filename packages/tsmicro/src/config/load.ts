import { inspect } from 'node:util'
import type { Static, TObject, TProperties } from 'typebox'
import { Value } from 'typebox/value'
import { ConfigError, type ConfigProblem } from './config-error.ts'
import { convert } from './convert.ts'
import { describeConfig } from './describe.ts'
import { expected } from './expected.ts'
import { nearNames } from './near-names.ts'
import { type Environment, read } from './read.ts'
import { type EnvSchema, type Variable, variables } from './variable.ts'

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
