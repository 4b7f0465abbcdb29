import { readFileSync } from 'node:fs'
import { configError } from './config-error.ts'
import type { Section } from './section.ts'

/** What the gateway knows beside its config: the process's environment, unless a test gives another. */
export type Environment = Readonly<Record<string, string | undefined>>

const REFERENCE = /^\{vault:\/\/env\/([a-z0-9-]+)\}$/

/**
 * An optional secret of a plugin's config, as it is or as Kong's reference to the environment: `{vault://env/gateway-secret}`
 * is `GATEWAY_SECRET`, or the content of the file that `GATEWAY_SECRET_FILE` names (Kong itself knows no such files). Undefined
 * when the environment has neither.
 */
export function readSecret(section: Section, name: string, env: Environment): string | undefined {
  const written = section.optionalString(name)
  const reference = written === undefined ? undefined : REFERENCE.exec(written)?.[1]
  const value = reference === undefined ? written : fromEnvironment(reference, env, section.at(name))
  if (value !== undefined && Buffer.byteLength(value) < 32)
    throw configError(section.at(name), 'has to be 32 bytes or more')
  return value
}

function fromEnvironment(reference: string, env: Environment, place: string): string | undefined {
  const variable = reference.toUpperCase().replaceAll('-', '_')
  const file = env[`${variable}_FILE`]
  if (!file) return env[variable] || undefined
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    throw configError(place, `${variable}_FILE cannot be read (${code})`)
  }
}
