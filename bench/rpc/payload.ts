/* The request and answer of every subject: small, as between real services, about 200 bytes each way as JSON. */

/** The action within a service, e.g. `auth.validate.token`. */
export const ACTION = 'validate.token'

/** How long every subject waits for an answer. Long, so that a busy machine delays a run instead of failing it. */
export const CALL_TIMEOUT_MS = 20_000

export interface Request {
  readonly token: string
  readonly sequence: number
}

export interface Answer {
  readonly valid: boolean
  readonly sequence: number
  readonly user: {
    readonly id: string
    readonly email: string
    readonly name: string
    readonly roles: string[]
    readonly createdAt: string
  }
}

export const TOKEN_LENGTH = 160
const TOKEN = 'eyJhbGciOiJFZERTQSJ9.'.padEnd(TOKEN_LENGTH, 'k7Qx')

export function requestOf(sequence: number): Request {
  return { token: TOKEN, sequence }
}

/** The handler of all subjects. It does nothing, because only the way there and back is measured. */
export async function answer({ token, sequence }: Request): Promise<Answer> {
  return {
    valid: token.length === TOKEN_LENGTH,
    sequence,
    user: {
      id: idOf(sequence),
      email: 'grace.hopper@example.com',
      name: 'Grace Hopper',
      roles: ['WRITER', 'EDITOR'],
      createdAt: '2026-01-01T12:00:00.000Z',
    },
  }
}

/** @throws Error when this is not the answer to that request */
export function verify(sequence: number, got: Answer | undefined): void {
  if (got?.valid === true && got.sequence === sequence && got.user?.id === idOf(sequence)) return
  throw new Error(`wrong answer to call ${sequence}: ${JSON.stringify(got)}`)
}

function idOf(sequence: number): string {
  return `user-${(sequence % 1000) + 1000}`
}
