export { type KeyRing, type KeyRingOptions, loadKeyRing } from './keys/index.ts'
export { createPasswordHasher, type PasswordHasher, type PasswordHasherOptions } from './passwords/index.ts'
export {
  createRoleAuthorization,
  createTokenAuthentication,
  type RoleAuthorizationOptions,
  type TokenAuthenticationOptions,
} from './providers.ts'
export {
  createTokenSigner,
  createTokenVerifier,
  type KeySet,
  type TokenClaims,
  TokenError,
  type TokenErrorReason,
  type TokenSigner,
  type TokenType,
  type TokenVerifier,
} from './tokens/index.ts'
