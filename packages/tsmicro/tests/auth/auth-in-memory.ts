import { generateKeyPair } from '../../src/auth/keys/key-pair.ts'
import { createKeyRing } from '../../src/auth/keys/key-ring.ts'
import type { AccessChanges, AuthService, Granted, Position } from '../../src/auth/remote/protocol.ts'
import { defineRoles } from '../../src/contract/index.ts'
import { SERVICE_UNAVAILABLE } from '../../src/errors/index.ts'

export const roles = defineRoles('READER', 'WRITER')
export const keyRing = createKeyRing([await generateKeyPair()])

/** A database with the auth service's answers: any answer may be held back after it was read. */
export class AuthInMemory implements AuthService {
  readonly sessions = new Map<string, { user: string; access: string }>()
  readonly roles = new Map<string, string[]>()
  changes: AccessChanges['changes'][number][] = []
  calls = 0
  down = false
  endsInMs = 900_000
  #history = 'first'
  #held: Promise<void> | undefined

  add(session: string, user = 'ada'): void {
    this.sessions.set(session, { user, access: `${session}-1` })
    if (!this.roles.has(user)) this.roles.set(user, ['WRITER'])
  }

  change(kind: string, id: string): void {
    this.changes.push({ number: this.changes.length + 1, kind, id })
  }

  end(session: string): void {
    this.sessions.delete(session)
    this.change('session', session)
  }

  restore(number: number): void {
    this.#history = `${this.#history}*`
    this.changes = this.changes.slice(0, number)
  }

  /** Answers are read at once, and sent when the result is called. */
  hold(): () => void {
    const held = Promise.withResolvers<void>()
    this.#held = held.promise
    return () => held.resolve()
  }

  sendsAtOnce(): void {
    this.#held = undefined
  }

  async #answer<T>(read: () => T): Promise<T> {
    if (this.down) throw new SERVICE_UNAVAILABLE()
    const answer = read()
    await this.#held
    return answer
  }

  verifyAccess({ token }: { token: string }): Promise<{ granted?: Granted }> {
    this.calls += 1
    const { sid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sid: string }
    return this.#answer(() => {
      const session = this.sessions.get(sid)
      const held = session && this.roles.get(session.user)
      if (!session || !held) return {}
      const number = this.changes.length
      const { endsInMs } = this
      return { granted: { user: { id: session.user }, sessionId: sid, roles: held, number, endsInMs } }
    })
  }

  validateRole({ userId, role }: { userId: string; role: string }): Promise<{ valid: boolean }> {
    this.calls += 1
    return this.#answer(() => ({ valid: roles.satisfies(this.roles.get(userId) ?? [], role) }))
  }

  accessChanges({ since }: { since?: Position }): Promise<AccessChanges> {
    return this.#answer(() => {
      const number = this.changes.length
      const known = since?.mark === this.#history
      const changes = known ? this.changes.slice(since?.number) : this.changes.filter(({ kind }) => kind === 'key')
      return { position: { number, mark: this.#history }, changes, startOver: !known }
    })
  }

  publicKeys = () => this.#answer(() => keyRing.jwks())
}
