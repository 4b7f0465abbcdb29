import { configError } from './config-error.ts'
import type { Section } from './section.ts'
import type { Vault } from './vault.ts'

const REFERENCE = /^\{vault:\/\/env\/([a-z0-9-]+)\}$/

/**
 * An optional secret of a plugin's config, as it is or as Kong's reference to the environment: `{vault://env/gateway-secret}`
 * is what the vault has of that name. Undefined when it has nothing.
 */
export function readSecret(section: Section, name: string, vault: Vault): string | undefined {
  const written = section.optionalString(name)
  const reference = written === undefined ? undefined : REFERENCE.exec(written)?.[1]
  const value = reference === undefined ? written : vault.read(reference, section.at(name))
  if (value !== undefined && Buffer.byteLength(value) < 32)
    throw configError(section.at(name), 'has to be 32 bytes or more')
  return value
}
