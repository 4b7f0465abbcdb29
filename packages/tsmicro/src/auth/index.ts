/** Tokens, keys, passwords and providers. */
export {
  createKeyFile,
  KeyDirectory,
  type KeyPublication,
  type KeyPublications,
  type KeyRing,
  loadKeyRing,
  type PublicationRecord,
  type PublishedKey,
  type PublishedKeySet,
  RotatingKeyRing,
} from './keys/index.ts'
export {
  createPasswordHasher,
  type PasswordHasher,
  type WorkOptions,
} from './passwords/index.ts'
export {
  createRoleAuthorization,
  createTokenAuthentication,
} from './providers.ts'
export {
  createTokenSigner,
  createTokenVerifier,
  type TokenClaims,
  TokenError,
  type TokenSigner,
  type TokenVerifier,
} from './tokens/index.ts'
