export type { TokenClaims } from './claims.ts'
export { createTokenSigner, type TokenRequest, type TokenSigner } from './signer.ts'
export { TokenError } from './token-error.ts'
export { createTokenVerifier, type TokenVerifier, type TokenVerifierOptions } from './verifier.ts'
