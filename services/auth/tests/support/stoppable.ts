import type { Tokens } from '@blog-platform/auth-contract'
import type { KyselyPlugin } from 'kysely'
import { createOutbox } from 'tsmicro'
import type { TokenSigner, TokenVerifier } from 'tsmicro/auth'
import type { Postgres } from 'tsmicro/postgres'
import { Announcements } from '../../src/api/announcements.ts'
import { SessionRepository } from '../../src/api/session/repository.ts'
import { RequestClock } from '../../src/api/session/request-clock.ts'
import { SessionService } from '../../src/api/session/service.ts'
import { TokenPairs } from '../../src/api/session/tokens.ts'
import type { Tables } from '../../src/database.ts'

/** Where an instance can be stopped in the middle of a renewal, in the order of its work. */
export type Point = 'unread' | 'verifying' | 'exchanged' | 'looked up' | 'ending' | 'ended' | 'signing'

export interface Needed {
  readonly postgres: Postgres<Tables>
  readonly signer: TokenSigner
  readonly verifier: TokenVerifier
}

const LIMITS = { access: 900, refresh: 604_800, refreshSeconds: 604_800, maxSeconds: 2_592_000, perUser: 50 }

/** The sessions of one instance on the real database, with a clock that a test moves. It can be stopped at a point. */
export class StoppableInstance {
  readonly sessions: SessionService
  readonly #clock: RequestClock
  #ms = 0
  #isFrozen = false
  #points: Point[] = []
  #stop: { readonly at: Point; readonly reached: () => void; readonly released: Promise<void> } | undefined

  constructor({ postgres, signer, verifier }: Needed) {
    const plugin: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        // The first query of a renewal exchanges the pair, the second looks up the session.
        const point = this.#points.shift()
        if (point) await this.#at(point)
        return result
      },
    }
    this.#clock = new RequestClock(() => [this.#ms, this.#ms])
    const pairs = new TokenPairs(signer, LIMITS)
    const sign = pairs.sign.bind(pairs)
    pairs.sign = async session => {
      await this.#at('signing')
      return sign(session)
    }
    const announcements = new Announcements(createOutbox(postgres.outboxStore()))
    const sessions = new SessionRepository(postgres.db.withPlugin(plugin), LIMITS, announcements)
    this.sessions = new SessionService({
      sessions,
      pairs,
      verifier: {
        verify: async (token, options) => {
          await this.#at('verifying')
          return verifier.verify(token, options)
        },
      },
      clock: this.#clock,
      transaction: async work => {
        await this.#at('ending')
        const ended = await postgres.transaction(work)
        await this.#at('ended')
        return ended
      },
    })
  }

  async renew({ accessToken, refreshToken }: Tokens, signal?: AbortSignal): Promise<Tokens> {
    await this.#at('unread')
    this.#points = ['exchanged', 'looked up']
    return this.sessions.renew(accessToken, refreshToken, signal)
  }

  /** Stops it at a point. Returns functions that let it continue, or fail there as if its connection were lost. */
  stopAt(at: Point): { readonly reached: Promise<void>; goOn(): void; fail(): void } {
    const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    released.promise.catch(() => undefined)
    this.#stop = { at, reached: reached.resolve, released: released.promise }
    return { reached: reached.promise, goOn: released.resolve, fail: () => released.reject(new Error('lost')) }
  }

  /** Lets time pass. A frozen instance does not notice it meanwhile. */
  pass(ms: number): void {
    if (this.#isFrozen) this.#ms += ms
    else
      for (let left = ms; left > 0; left -= 500) {
        this.#ms += Math.min(left, 500)
        this.#clock.read()
      }
  }

  async #at(point: Point): Promise<void> {
    if (this.#stop?.at !== point) return
    const { reached, released } = this.#stop
    this.#stop = undefined
    this.#isFrozen = true
    reached()
    await released.finally(() => {
      this.#isFrozen = false
    })
  }
}
