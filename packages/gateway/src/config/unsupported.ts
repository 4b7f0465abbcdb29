/** Fields of Kong 3.9 that this gateway does not do, and why or what to do instead. */
export type Unsupported = Readonly<Record<string, string>>

const TLS = 'it speaks plain HTTP on both sides'
const NO_CONSUMERS = 'it knows no consumers; apikey-auth asks a service who the caller is'
const HASHING = 'it goes round the targets by weight'
const TIMES = 'leave it out: nothing depends on it'
const PLACED = 'write the plugin under what it belongs to'

/** On the top level: what is left out of Kong's entities is refused as unknown, as Kong would. */
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
  vaults: 'only {vault://env/...} is understood, which needs no entry',
  keys: 'no plugin of it uses them',
  key_sets: 'no plugin of it uses them',
  filter_chains: 'it runs no WebAssembly',
  _transform: 'it has no credentials that could be transformed',
}

export const UNSUPPORTED_IN_SERVICE: Unsupported = {
  ca_certificates: TLS,
  client_certificate: TLS,
  tls_verify: TLS,
  tls_verify_depth: TLS,
  created_at: TIMES,
  updated_at: TIMES,
}

export const UNSUPPORTED_IN_ROUTE: Unsupported = {
  snis: TLS,
  sources: 'it routes by what a request says, not by addresses',
  destinations: 'it routes by what a request says, not by addresses',
  expression: 'it has the router flavour traditional_compatible, Kong’s default',
  priority: 'it has the router flavour traditional_compatible, Kong’s default',
  service: 'a route belongs to the service that it stands under',
  created_at: TIMES,
  updated_at: TIMES,
}

export const UNSUPPORTED_IN_UPSTREAM: Unsupported = {
  hash_on_cookie: HASHING,
  hash_on_cookie_path: HASHING,
  hash_on_header: HASHING,
  hash_on_query_arg: HASHING,
  hash_on_uri_capture: HASHING,
  hash_fallback_header: HASHING,
  hash_fallback_query_arg: HASHING,
  hash_fallback_uri_capture: HASHING,
  client_certificate: TLS,
  created_at: TIMES,
  updated_at: TIMES,
}

export const UNSUPPORTED_IN_CHECKS: Unsupported = {
  concurrency: 'it asks all targets at once',
  headers: 'it sends none but Host',
  https_sni: TLS,
  https_verify_certificate: TLS,
}

export const UNSUPPORTED_IN_TARGET: Unsupported = {
  cache_key: TIMES,
  created_at: TIMES,
  updated_at: TIMES,
}

export const UNSUPPORTED_IN_PLUGIN: Unsupported = {
  route: PLACED,
  service: PLACED,
  consumer: NO_CONSUMERS,
  consumer_group: NO_CONSUMERS,
  ordering: 'plugins run in the order of their priorities',
  created_at: TIMES,
  updated_at: TIMES,
}
