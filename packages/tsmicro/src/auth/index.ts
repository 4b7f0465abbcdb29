/** Tokens, keys, passwords and providers. */
export {
  createKeyFile,
  KeyDirectory,
  type KeyPair,
  type KeyPublication,
  type KeyPublications,
  type KeyRing,
  type KeyRingOptions,
  type KeyScan,
  loadKeyRing,
  type NewKeyFile,
  type PublicationRecord,
  type PublishedKey,
  type PublishedKeySet,
  RotatingKeyRing,
  type RotatingKeyRingOptions,
} from './keys/index.ts'
export {
  createPasswordHasher,
  type PasswordHasher,
  type PasswordHasherOptions,
  type WorkOptions,
} from './passwords/index.ts'
export {
  createRoleAuthorization,
  createTokenAuthentication,
  type RoleAuthorizationOptions,
  type TokenAuthenticationOptions,
} from './providers.ts'
export {
  createTokenSigner,
  createTokenVerifier,
  type KeyLookup,
  type KeySet,
  type TokenClaims,
  TokenError,
  type TokenErrorReason,
  type TokenSigner,
  type TokenType,
  type TokenVerifier,
} from './tokens/index.ts'
