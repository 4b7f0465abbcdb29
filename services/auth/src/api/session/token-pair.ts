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
    const { userId: subject, id: sessionId, issuedAt } = session
    const common = { subject, sessionId, issuedAt }
    const [accessToken, refreshToken] = await Promise.all([
      this.#signer.sign({
        ...common,
        type: 'access',
        id: session.accessId,
        expiresAt: issuedAt + this.#lives.accessSeconds,
      }),
      this.#signer.sign({
        ...common,
        type: 'refresh',
        id: session.refreshId,
        expiresAt: issuedAt + this.#lives.refreshSeconds,
      }),
    ])
    return { accessToken, refreshToken }
  }

  /** When a session issued now ends unless it is renewed. */
  expiryOf(session: Session): Date {
    return new Date((session.issuedAt + this.#lives.refreshSeconds) * 1000)
  }
}
