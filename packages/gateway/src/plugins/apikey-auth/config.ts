import { isPathPattern } from '@tsmicro/kong-plugins/apikey-auth'
import { configError } from '../../config/config-error.ts'
import { parseHttpUrl, type Target } from '../../config/read-target.ts'
import { readSecret } from '../../config/secret.ts'
import { nonEmptyString, type Section } from '../../config/section.ts'
import type { Vault } from '../../config/vault.ts'

/** The plugin's config, with the names that it has in kong.yml. */
export interface ApikeyConfig {
  /**
   * `verify_urls`: `http://auth:8001/verify/apikey`, tried in turn until one answers. Asked with `POST {"key"}`, answering
   * `{"valid":true,"id","permissions":[…]}`, `{"valid":false}` or 401. A host may name an upstream of the config.
   */
  readonly verifiers: readonly Target[]
  /** `verify_secret`: sent along as `x-verify-secret`, 32 bytes or more; absent = not sent. */
  readonly secret: string | undefined
  /** `timeout_ms` (2000): bounds the whole verification. Each verifier gets an equal share of what is left. */
  readonly timeoutMs: number
  /** `cache_ttl` (5) and `negative_cache_ttl` (1): seconds that a yes and a no are remembered; 0 is not at all. */
  readonly times: { readonly good: number; readonly bad: number }
  /** `permission`: what a key has to permit, as the verifier names it, e.g. `WRITE`; absent = any good key passes. */
  readonly permission: string | undefined
  /** `anonymous_paths`: free without a key: `/health` is that path, `/public/*` all below it. See `isAnonymous`. */
  readonly anonymousPaths: readonly string[]
  /** `key_names` (`x-api-key`): header fields that may hold the key, of which a request may send one. */
  readonly keyNames: readonly string[]
  /** `hide_credentials` (true): whether the service does not see the key. */
  readonly hideCredentials: boolean
}

const SECONDS = { min: 0, max: 3600, integer: false }

/** Throws `GatewayConfigError`. */
export function readApikeyConfig(section: Section, vault: Vault): ApikeyConfig {
  const verifiers = section.restriction('verify_urls', (value, place) =>
    parseHttpUrl(nonEmptyString(value, place), place),
  )
  if (verifiers === undefined) throw configError(section.at('verify_urls'), 'is required')
  return {
    verifiers,
    secret: readSecret(section, 'verify_secret', vault),
    timeoutMs: section.number('timeout_ms', 2000, { min: 1, max: 60_000, integer: true }),
    times: {
      good: section.number('cache_ttl', 5, SECONDS),
      bad: section.number('negative_cache_ttl', 1, SECONDS),
    },
    permission: section.optionalString('permission'),
    anonymousPaths: section.list('anonymous_paths', pathPattern) ?? [],
    keyNames: section.restriction('key_names', headerName) ?? ['x-api-key'],
    hideCredentials: section.boolean('hide_credentials', true),
  }
}

function pathPattern(value: unknown, place: string): string {
  const pattern = nonEmptyString(value, place)
  if (!isPathPattern(pattern)) throw configError(place, 'must look like /health, /public/* or /public*')
  return pattern
}

function headerName(value: unknown, place: string): string {
  const name = nonEmptyString(value, place)
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw configError(place, 'must be the name of a header field, in lower case')
  return name
}
