/** Fields of Kong 3.9 that this gateway does not support, each with the reason or the alternative. */
export type Unsupported = Readonly<Record<string, string>>

const TLS = 'it speaks plain HTTP on both sides'
const NO_CONSUMERS = 'it has no consumers; apikey-auth asks a service who the caller is'
const HASHING = 'requests are distributed by weight'
const UNUSED = 'leave it out: nothing depends on it'
const TIMES = { created_at: UNUSED, updated_at: UNUSED }
const NESTED = 'write the plugin under the entity that it belongs to'
const BY_ADDRESS = 'it routes by what a request contains, not by addresses'
const EXPRESSIONS = 'it has the router flavour traditional_compatible, Kong’s default'

/** On the top level. Entities of Kong that are missing here are refused as unknown, as Kong would do. */
export const UNSUPPORTED_ENTITIES: Unsupported = {
  routes: 'write routes under their service',
  consumers: NO_CONSUMERS,
  consumer_groups: NO_CONSUMERS,
  acls: NO_CONSUMERS,
  basicauth_credentials: NO_CONSUMERS,
  hmacauth_credentials: NO_CONSUMERS,
  jwt_secrets: NO_CONSUMERS,
  keyauth_credentials: NO_CONSUMERS,
  oauth2_credentials: NO_CONSUMERS,
  certificates: TLS,
  ca_certificates: TLS,
  snis: TLS,
  vaults: 'only {vault://env/...} is supported, which needs no entry',
  keys: 'none of its plugins uses them',
  key_sets: 'none of its plugins uses them',
  filter_chains: 'it does not run WebAssembly',
  _transform: 'it has no credentials that could be transformed',
}

export const UNSUPPORTED_IN_SERVICE: Unsupported = {
  ...TIMES,
  ca_certificates: TLS,
  client_certificate: TLS,
  tls_verify: TLS,
  tls_verify_depth: TLS,
}

export const UNSUPPORTED_IN_ROUTE: Unsupported = {
  ...TIMES,
  snis: TLS,
  sources: BY_ADDRESS,
  destinations: BY_ADDRESS,
  expression: EXPRESSIONS,
  priority: EXPRESSIONS,
  service: 'a route belongs to the service under which it stands',
}

export const UNSUPPORTED_IN_UPSTREAM: Unsupported = {
  ...TIMES,
  hash_on_cookie: HASHING,
  hash_on_cookie_path: HASHING,
  hash_on_header: HASHING,
  hash_on_query_arg: HASHING,
  hash_on_uri_capture: HASHING,
  hash_fallback_header: HASHING,
  hash_fallback_query_arg: HASHING,
  hash_fallback_uri_capture: HASHING,
  client_certificate: TLS,
}

export const UNSUPPORTED_IN_CHECKS: Unsupported = {
  concurrency: 'it probes all targets at the same time',
  headers: 'it sends no headers of the config',
  https_sni: TLS,
  https_verify_certificate: TLS,
}

export const UNSUPPORTED_IN_TARGET: Unsupported = { ...TIMES, cache_key: UNUSED }

export const UNSUPPORTED_IN_PLUGIN: Unsupported = {
  ...TIMES,
  route: NESTED,
  service: NESTED,
  consumer: NO_CONSUMERS,
  consumer_group: NO_CONSUMERS,
  ordering: 'plugins run in the order of their priorities',
}
