/** Tokens, keys and providers. Passwords have an entry of their own, `tsmicro/passwords`: only who keeps some needs argon2. */
export { type KeyRing, type KeyRingOptions, loadKeyRing } from './keys/index.ts'
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
