import { roles, TOKEN_INVALID, type TokenUser } from '@blog-platform/auth-contract'
import { type TokenClaims, TokenError, type TokenVerifier } from 'tsmicro/auth'
import type { SessionService } from '../session/service.ts'
import type { UserRepository } from '../user/repository.ts'

export interface ValidationServiceParts {
  readonly verifier: TokenVerifier
  readonly sessions: SessionService
  readonly users: UserRepository
}

/** Answers who a token belongs to and what its owner may do: for this service and for all others. */
export class ValidationService {
  readonly #parts: ValidationServiceParts

  constructor(parts: ValidationServiceParts) {
    this.#parts = parts
  }

  /** @throws {TOKEN_INVALID} when signature, times or session are not good */
  async validateToken(token: string): Promise<TokenUser> {
    const claims = await this.#parts.verifier.verify(token, { type: 'access' }).catch(cause => {
      if (cause instanceof TokenError) throw new TOKEN_INVALID(undefined, { cause })
      throw cause
    })
    const user = await this.userOf(claims)
    if (!user) throw new TOKEN_INVALID()
    return user
  }

  /** The user of a verified token; `undefined` when its session has ended or was renewed. */
  userOf(claims: TokenClaims): Promise<TokenUser | undefined> {
    return this.#parts.sessions.ownerOf(claims)
  }

  async hasRole(userId: string, role: string): Promise<boolean> {
    return roles.satisfies(await this.#parts.users.rolesOf(userId), role)
  }
}
