import type { Tokens } from '@blog-platform/auth-contract'
import type { TokenSigner } from 'tsmicro/auth'
import type { Session } from './model.ts'

export interface TokenLives {
  readonly accessSeconds: number
  readonly refreshSeconds: number
}

/** Signs the newest pair of a session. The same session gives the same pair: signatures are deterministic. */
export class TokenPairs {
  readonly #signer: TokenSigner
  readonly #lives: TokenLives

  constructor(signer: TokenSigner, lives: TokenLives) {
    this.#signer = signer
    this.#lives = lives
  }

  async sign(session: Session): Promise<Tokens> {
    const { userId: subject, id: sessionId, issuedAt, endsAt } = session
    const common = { subject, sessionId, issuedAt }
    // No token outlives its session.
    const expiresAt = (seconds: number) => Math.max(issuedAt + 1, Math.min(issuedAt + seconds, endsAt))
    const [accessToken, refreshToken] = await Promise.all([
      this.#signer.sign({
        ...common,
        type: 'access',
        id: session.accessId,
        expiresAt: expiresAt(this.#lives.accessSeconds),
      }),
      this.#signer.sign({
        ...common,
        type: 'refresh',
        id: session.refreshId,
        expiresAt: expiresAt(this.#lives.refreshSeconds),
      }),
    ])
    return { accessToken, refreshToken }
  }
}
