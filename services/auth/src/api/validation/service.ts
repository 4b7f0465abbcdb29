import {
  type AccessChanges,
  type AccessPosition,
  type GrantedAccess,
  roles,
  TOKEN_INVALID,
  type TokenUser,
} from '@blog-platform/auth-contract'
import type { Principal } from 'tsmicro'
import { type TokenClaims, TokenError, type TokenVerifier } from 'tsmicro/auth'
import type { SessionService } from '../session/service.ts'
import type { UserRepository } from '../user/repository.ts'
import type { AccessChangeRepository } from './repository.ts'

export interface ValidationServiceParts {
  readonly verifier: TokenVerifier
  readonly sessions: SessionService
  readonly users: UserRepository
  readonly changes: AccessChangeRepository
}

/** Tells this service and all others who a token belongs to, and what its owner may do. */
export class ValidationService {
  readonly #parts: ValidationServiceParts

  constructor(parts: ValidationServiceParts) {
    this.#parts = parts
  }

  /** @throws {TOKEN_INVALID} if the signature, the expiry or the session is invalid */
  async validateToken(token: string): Promise<TokenUser> {
    const claims = await this.#parts.verifier.verify(token, { type: 'access' }).catch(cause => {
      if (cause instanceof TokenError) throw new TOKEN_INVALID(undefined, { cause })
      throw cause
    })
    const user = await this.#parts.sessions.ownerOf(claims)
    if (!user) throw new TOKEN_INVALID()
    return user
  }

  /** Who sends a verified token to this service, with the account; undefined if its session has ended or was renewed. */
  async principalOf(claims: TokenClaims): Promise<Principal | undefined> {
    const account = await this.#parts.sessions.accountOf(claims)
    return account && { id: account.id, sessionId: claims.sessionId, account }
  }

  /** What a token permits; undefined if it is invalid. */
  async accessOf(token: string): Promise<GrantedAccess | undefined> {
    const { verifier, sessions } = this.#parts
    try {
      return await sessions.accessOf(await verifier.verify(token, { type: 'access' }))
    } catch (error) {
      if (error instanceof TokenError) return undefined
      throw error
    }
  }

  changesSince(position: AccessPosition | undefined): Promise<AccessChanges> {
    return this.#parts.changes.since(position)
  }

  async hasRole(userId: string, role: string): Promise<boolean> {
    return roles.satisfies(await this.#parts.users.rolesOf(userId), role)
  }
}
